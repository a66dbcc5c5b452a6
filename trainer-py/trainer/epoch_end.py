"""What happens at the end of an epoch, each part once, whatever interrupts it."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.evaluate import WORST
from trainer.failure import NonFiniteError
from trainer.grid import draw_epoch
from trainer.grid_cells import drawn_weights
from trainer.metadata import lora_metadata
from trainer.save import Saved, save_lora, write_card
from trainer.session import Session


def finish_epoch(session: Session, epoch: int) -> None:
    """Measure, save and draw `epoch`, as far as that was not done before; epoch 0 is the base model.

    The state follows the measurement, so that broken numbers never get into it, and precedes the LoRA, so that an
    epoch whose file exists is never trained again. Raises Interrupted, Failure `disk_full` or NonFiniteError.
    """
    with session.optimizer.best_weights():
        _finish(session, epoch)


def _finish(session: Session, epoch: int) -> None:
    progress = session.progress
    if epoch not in progress.evaluated:
        _evaluate(session, epoch)
        progress.evaluated.append(epoch)
    if epoch > 0:
        session.save_state()
        session.folder.mark_good(progress)
    else:
        session.save_progress()
    if epoch > 0 and str(epoch) not in progress.saved:
        saved = _save(session, epoch)
        progress.saved[str(epoch)] = (saved.file, saved.sshs_model_hash)
        session.folder.save_progress(progress)
    grid = session.plan.settings.grid
    if grid.enabled and grid.prompts and epoch not in progress.drawn:
        _draw(session, epoch)
        progress.drawn.append(epoch)
        session.save_progress()


def _evaluate(session: Session, epoch: int) -> None:
    started = session.commands.clock()
    stage = "evaluating" if epoch else "measuringBase"
    measured = session.evaluation.measure(epoch, lambda done, total: session.stage(stage, done, total))
    if measured["train_loss"] >= WORST:
        raise NonFiniteError("the measured loss is not finite")
    session.journal.say(measured)
    if epoch:
        seconds = session.commands.clock() - started
        session.progress.train_seconds += seconds
        # The evaluation's own account knows nothing of a time in which it stood still.
        session.progress.compute_seconds += min(seconds, session.evaluation.compute_seconds)


def _save(session: Session, epoch: int) -> Saved:
    started = session.commands.clock()
    plan, run, progress = session.plan, session.run, session.progress
    session.stage("saving", 0, 1)
    weights = session.network.weights()
    saved = save_lora(
        weights,
        lora_metadata(plan, progress, session.base_hash, epoch=epoch, weights=weights),
        folder=Path(run.lora_dir),
        file=run.files[epoch - 1],
        precision=plan.settings.save_precision,
    )
    write_card(
        Path(run.lora_dir) / saved.file,
        description=f"Epoch {epoch} of {plan.settings.epochs}, trained by Train LoRA on {plan.base_model.name}.",
        trigger_word=plan.dataset.trigger_word,
        notes=f"{plan.dataset.name}, {len(plan.trained_images)} pictures, step {epoch * plan.steps_per_epoch}.",
    )
    step = epoch * plan.steps_per_epoch
    session.journal.say({"type": "saved", "epoch": epoch, "step": step, **dataclasses.asdict(saved)})
    session.stage("saving", 1, 1)
    progress.train_seconds += session.commands.clock() - started
    return saved


def _draw(session: Session, epoch: int) -> None:
    started = session.commands.clock()
    settings = session.plan.settings
    stage = "drawingGrid" if epoch else "drawingBase"
    grid = settings.grid
    total = len(grid.prompts) * len(set(grid.seeds)) * (len(drawn_weights(grid)) if epoch else 1)
    done = 0

    def tell(event: Mapping[str, Any]) -> None:
        nonlocal done
        session.journal.say(event)
        if event["type"] == "cell":
            done += 1
            session.stage(stage, done, total)

    file, model_hash = session.progress.saved.get(str(epoch), ("", ""))
    session.stage(stage, 0, total)
    with session.network.disabled():
        draw_epoch(
            session.base,
            session.network.weights() if epoch else None,
            epoch,
            settings=grid,
            prompts=grid.prompts,
            width=settings.resolution.width,
            height=settings.resolution.height,
            clip_skip=settings.clip_skip,
            out_dir=session.run_dir / "grid",
            emit=tell,
            lora_name=Path(file).stem,
            lora_hash=model_hash,
            model_hash=session.base_hash.new,
        )
    session.progress.grid_seconds += session.commands.clock() - started
