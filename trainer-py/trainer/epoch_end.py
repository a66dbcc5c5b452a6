"""What happens at the end of an epoch, each part once, whatever interrupts it."""

import dataclasses
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.events import emit
from trainer.metadata import lora_metadata
from trainer.save import save_lora, write_card
from trainer.session import Session


def finish_epoch(session: Session, epoch: int) -> None:
    """Measure, save and draw `epoch`, as far as that was not done before; epoch 0 is the base model.

    The state of the epoch's last step must be on disk. Raises Interrupted, Failure `disk_full` or NonFiniteError.
    """
    progress = session.progress
    if epoch not in progress.evaluated:
        _evaluate(session, epoch)
        _note(session, progress.evaluated, epoch)
    if epoch > 0 and epoch not in progress.saved:
        _save(session, epoch)
        _note(session, progress.saved, epoch)
    grid = session.plan.settings.grid
    if grid.enabled and grid.prompts and epoch not in progress.drawn:
        _draw(session, epoch)
        _note(session, progress.drawn, epoch)


def _note(session: Session, done: list[int], epoch: int) -> None:
    done.append(epoch)
    session.folder.save_progress(session.progress)


def _evaluate(session: Session, epoch: int) -> None:
    started = time.perf_counter()
    stage = "evaluating" if epoch else "measuringBase"
    emit(session.evaluation.measure(epoch, lambda done, total: session.stage(stage, done, total)))
    if epoch:
        session.progress.train_seconds += time.perf_counter() - started
        session.progress.compute_seconds += session.evaluation.compute_seconds


def _save(session: Session, epoch: int) -> None:
    started = time.perf_counter()
    plan, run, progress = session.plan, session.run, session.progress
    session.stage("saving", 0, 1)
    saved = save_lora(
        session.network.weights(),
        lora_metadata(plan, progress, session.base_hash, epoch=epoch),
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
    emit({"type": "saved", "epoch": epoch, "step": epoch * plan.steps_per_epoch, **dataclasses.asdict(saved)})
    session.stage("saving", 1, 1)
    progress.train_seconds += time.perf_counter() - started


def _draw(session: Session, epoch: int) -> None:
    from trainer.grid import draw_epoch

    started = time.perf_counter()
    settings = session.plan.settings
    stage = "drawingGrid" if epoch else "drawingBase"
    grid = settings.grid
    total = len(grid.prompts) * len(grid.seeds) * (len(grid.weights) if epoch else 1)
    done = 0

    def tell(event: Mapping[str, Any]) -> None:
        nonlocal done
        emit(event)
        if event["type"] == "cell":
            done += 1
            session.stage(stage, done, total)

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
        )
    session.progress.grid_seconds += time.perf_counter() - started
