"""`python -m trainer review RUN_DIR`: a run that another program trained, measured and drawn like one of our own."""

import time
from dataclasses import dataclass
from pathlib import Path

from trainer.commands import Commands, Interrupted
from trainer.dataset.sample_crop import centre_samples
from trainer.device import pick_device
from trainer.evaluation.evaluate import Evaluation
from trainer.evaluation.saved_lora import SavedLora
from trainer.events import emit, emit_stage
from trainer.grid.epoch_row import draw_epoch_row
from trainer.journal import Journal
from trainer.model.base_model import BaseModel
from trainer.network.read_lora import read_lora, read_lora_metadata
from trainer.network.targets import lora_targets
from trainer.peak_memory import peak_rss_mb
from trainer.plan import Plan, Run, read_plan, read_run
from trainer.progress import Progress
from trainer.run.parking import parked_and_told
from trainer.run.run_material import load_material
from trainer.run.state import StateFolder


def review(run_dir: Path, commands: Commands) -> None:
    """Measure and draw the run's LoRA files epoch by epoch, as far as that was not done before.

    Emits `evaluated`, `cell` and `sheet` events and at the end `finished`; `paused` or `stopped` after a command.
    Raises Failure for a base model, a picture or a LoRA that can't be used.
    """
    started = time.perf_counter()
    plan = read_plan(run_dir / "plan.json")
    run = read_run(run_dir / "run.json", plan)
    folder = StateFolder(run_dir / "state")
    progress = folder.read(plan.id)
    Journal(run_dir).repeat_lost(progress)
    commands.parking = lambda: parked_and_told(pick_device(), 0)
    try:
        reviewed = _open(plan, run, run_dir, commands, progress)
        for epoch in range(plan.settings.epochs + 1):
            _review_epoch(reviewed, epoch)
            folder.save_progress(progress)
    except Interrupted as interrupted:
        folder.save_progress(progress)
        emit({"type": "paused" if interrupted.command == "pause" else "stopped", "step": plan.total_steps})
        return
    emit(
        {
            "type": "finished",
            "step": plan.total_steps,
            "train_seconds": 0.0,
            "compute_seconds": 0.0,
            "grid_seconds": time.perf_counter() - started,
            "peak_rss_mb": peak_rss_mb(),
        }
    )


@dataclass(frozen=True)
class _Reviewed:
    plan: Plan
    run: Run
    run_dir: Path
    base: BaseModel
    model_hash: str
    lora: SavedLora
    evaluation: Evaluation
    commands: Commands
    progress: Progress
    journal: Journal

    def stage(self, name: str, done: int, total: int) -> None:
        emit_stage(name, done, total)
        if done < total:
            self.commands.check()


def _open(plan: Plan, run: Run, run_dir: Path, commands: Commands, progress: Progress) -> _Reviewed:
    parts = frozenset({"unet", "text_encoder", "vae_encoder", "vae_decoder"})
    material = load_material(
        plan, run, run_dir, centre_samples(plan), device=pick_device(), parts=parts, commands=commands
    )
    base = material.base
    material.latents.encode_all()
    latents = {sample.image.id: latent for sample, latent in material.latents.items()}
    lora = SavedLora()
    targets = lora_targets(base.unet, base.text_encoders, convolutions=True)
    return _Reviewed(
        plan=plan,
        run=run,
        run_dir=run_dir,
        base=base,
        model_hash=material.base_hash.new,
        lora=lora,
        evaluation=Evaluation(base, lora, targets, plan, lambda: latents),
        commands=commands,
        progress=progress,
        journal=Journal(run_dir),
    )


def _review_epoch(reviewed: _Reviewed, epoch: int) -> None:
    progress, grid = reviewed.progress, reviewed.plan.settings.grid
    file = Path(reviewed.run.lora_dir) / reviewed.run.files[epoch - 1]
    if epoch > 0 and not file.is_file():
        return
    if epoch > 0:
        reviewed.lora.lora = read_lora(file)
    if epoch not in progress.evaluated:
        stage = "evaluating" if epoch else "measuringBase"
        reviewed.journal.say(reviewed.evaluation.measure(epoch, lambda done, total: reviewed.stage(stage, done, total)))
        progress.evaluated.append(epoch)
    if grid.enabled and grid.prompts and epoch not in progress.drawn:
        _draw(reviewed, epoch, file)
        progress.drawn.append(epoch)


def _draw(reviewed: _Reviewed, epoch: int, file: Path) -> None:
    if epoch == 0:
        draw_epoch_row(reviewed, 0, None, lora_name="", lora_hash="", model_hash=reviewed.model_hash)
        return
    draw_epoch_row(
        reviewed,
        epoch,
        reviewed.lora.weights(),
        lora_name=file.stem,
        lora_hash=read_lora_metadata(file).get("sshs_model_hash", ""),
        model_hash=reviewed.model_hash,
    )
