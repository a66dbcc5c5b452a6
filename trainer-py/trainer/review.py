"""`python -m trainer review RUN_DIR`: a run that another program trained, measured and drawn like one of our own."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.base_model import BaseModel
from trainer.commands import Commands, Interrupted
from trainer.device import pick_device
from trainer.evaluate import Evaluation
from trainer.events import emit
from trainer.file_hash import FileHash
from trainer.grid import draw_epoch
from trainer.grid_cells import drawn_weights
from trainer.journal import Journal
from trainer.latent_cache import cache_latents
from trainer.latent_folder import latent_folder
from trainer.parking import parked
from trainer.peak_memory import peak_rss_mb
from trainer.plan import Plan, Run, read_plan, read_run
from trainer.plan_base import load_plan_base
from trainer.read_lora import read_lora, read_lora_metadata
from trainer.sample_crop import centre_samples
from trainer.saved_lora import SavedLora
from trainer.state import Progress, StateFolder
from trainer.targets import lora_targets


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
    commands.parking = _parking
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
        emit({"type": "stage", "stage": name, "done": done, "total": total})
        if done < total:
            self.commands.check()


@contextmanager
def _parking() -> Iterator[None]:
    with parked(pick_device()):
        emit({"type": "parked", "step": 0})
        yield
    emit({"type": "unparked", "step": 0})


def _open(plan: Plan, run: Run, run_dir: Path, commands: Commands, progress: Progress) -> _Reviewed:
    def stage(name: str, done: int, total: int) -> None:
        emit({"type": "stage", "stage": name, "done": done, "total": total})
        commands.check()

    stage("loadingModel", 0, 1)
    path = Path(plan.base_model.path)
    base_hash = FileHash(path) if path.exists() else None
    parts = frozenset({"unet", "text_encoder", "vae_encoder", "vae_decoder"})
    base = load_plan_base(plan, device=pick_device(), parts=parts)
    stage("loadingModel", 1, 1)
    found = cache_latents(
        base,
        centre_samples(plan),
        root=Path(plan.dataset.root),
        folder=latent_folder(run, run_dir),
        progress=lambda done, total: stage("cachingLatents", done, total),
    )
    latents = {sample.image.id: latent for sample, latent in found.items()}
    lora = SavedLora()
    targets = lora_targets(base.unet, base.text_encoders, convolutions=True)
    return _Reviewed(
        plan=plan,
        run=run,
        run_dir=run_dir,
        base=base,
        model_hash=base_hash.new if base_hash else "",
        lora=lora,
        evaluation=Evaluation(base, lora, targets, plan, latents),
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
    settings = reviewed.plan.settings
    grid = settings.grid
    stage = "drawingGrid" if epoch else "drawingBase"
    total = len(grid.prompts) * len(set(grid.seeds)) * (len(drawn_weights(grid)) if epoch else 1)
    done = 0

    def tell(event: Mapping[str, Any]) -> None:
        nonlocal done
        reviewed.journal.say(event)
        if event["type"] == "cell":
            done += 1
            reviewed.stage(stage, done, total)

    reviewed.stage(stage, 0, total)
    draw_epoch(
        reviewed.base,
        reviewed.lora.weights() if epoch else None,
        epoch,
        settings=grid,
        prompts=grid.prompts,
        width=settings.resolution.width,
        height=settings.resolution.height,
        clip_skip=settings.clip_skip,
        out_dir=reviewed.run_dir / "grid",
        emit=tell,
        lora_name=file.stem if epoch else "",
        lora_hash=read_lora_metadata(file).get("sshs_model_hash", "") if epoch else "",
        model_hash=reviewed.model_hash,
    )
