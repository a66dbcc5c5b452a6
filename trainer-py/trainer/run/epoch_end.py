"""What happens at the end of an epoch, each part once, whatever interrupts it."""

import dataclasses
from pathlib import Path

from trainer.evaluation.evaluate import WORST
from trainer.failure import NonFiniteError
from trainer.grid.epoch_row import draw_epoch_row
from trainer.run.keep_lora import keep_lora
from trainer.run.session import Session
from trainer.save.save import Saved


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
    step = epoch * plan.steps_per_epoch
    saved = keep_lora(
        session,
        run.files[epoch - 1],
        epoch=epoch,
        step=step,
        description=f"Epoch {epoch} of {plan.settings.epochs}, trained by Train LoRA on {plan.base_model.name}.",
        notes=f"{plan.dataset.name}, {len(plan.trained_images)} pictures, step {step}.",
    )
    session.journal.say({"type": "saved", "epoch": epoch, "step": step, **dataclasses.asdict(saved)})
    session.stage("saving", 1, 1)
    progress.train_seconds += session.commands.clock() - started
    return saved


def _draw(session: Session, epoch: int) -> None:
    started = session.commands.clock()
    file, lora_hash = session.progress.saved.get(str(epoch), ("", ""))
    weights = session.network.weights() if epoch else None
    with session.network.disabled():
        draw_epoch_row(
            session, epoch, weights, lora_name=Path(file).stem, lora_hash=lora_hash, model_hash=session.base_hash.new
        )
    session.progress.grid_seconds += session.commands.clock() - started
