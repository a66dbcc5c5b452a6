"""`python -m trainer train RUN_DIR`: from a frozen plan to one LoRA and one row of the grid an epoch.

Setup, then one loop in a fixed order: command? step, say it, state; at the end of an epoch the evaluation, the state,
the LoRA and the grid row. Whatever is done is noted in the state, so that a resumption does only what is missing.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from trainer import atomic_file
from trainer.commands import Commands, Interrupted
from trainer.device import pick_device
from trainer.epoch_end import finish_epoch
from trainer.events import emit
from trainer.failure import Failure, NonFiniteError
from trainer.journal import Journal
from trainer.optimizer_classes import check_optimizer
from trainer.parking import parked
from trainer.peak_memory import peak_rss_mb
from trainer.plan import read_plan, read_run
from trainer.session import Session, open_session
from trainer.state import Progress, StateFolder

_SECONDS_BETWEEN_STATES = 60
_PRECISION = {"no": "fp32", "fp16": "fp16", "bf16": "bf16"}


def train(run_dir: Path, commands: Commands) -> None:
    """Train the plan in `run_dir` to its end, or until a command comes in. Raises Failure."""
    plan = read_plan(run_dir / "plan.json")
    run = read_run(run_dir / "run.json", plan)
    check_optimizer(plan.settings)
    folder = StateFolder(run_dir / "state")
    progress = folder.read(plan.id)
    device = pick_device()
    emit(
        {
            "type": "started",
            "pid": os.getpid(),
            "device": str(device),
            "precision": _PRECISION[plan.settings.mixed_precision],
            "step": progress.step,
            "total_steps": plan.total_steps,
            "epochs": plan.settings.epochs,
        }
    )
    atomic_file.remove_partials(Path(run.lora_dir), run.files)
    Journal(run_dir).repeat_lost(progress)
    session: Session | None = None

    @contextmanager
    def parking() -> Iterator[None]:
        # With the state on disk a pause or a kill while it stands still needs nothing of what is parked.
        if session:
            session.save_state()
        with _told(device, progress):
            yield

    commands.parking = parking
    try:
        session = open_session(plan, run, run_dir, device=device, commands=commands, folder=folder, progress=progress)
        _loop(session)
    except Interrupted as interrupted:
        if session:
            session.save_state()
        emit({"type": "paused" if interrupted.command == "pause" else "stopped", "step": progress.step})
        return
    except NonFiniteError as error:
        raise _nan_loss(error, progress.step, plan.settings.mixed_precision) from error
    emit(
        {
            "type": "finished",
            "step": progress.step,
            "train_seconds": progress.train_seconds,
            "compute_seconds": progress.compute_seconds,
            "grid_seconds": progress.grid_seconds,
            "peak_rss_mb": peak_rss_mb(),
        }
    )


@contextmanager
def _told(device: torch.device, progress: Progress) -> Iterator[None]:
    with parked(device):
        emit({"type": "parked", "step": progress.step})
        yield
    emit({"type": "unparked", "step": progress.step})


def _loop(session: Session) -> None:
    plan, progress = session.plan, session.progress
    if progress.step % plan.steps_per_epoch == 0:
        finish_epoch(session, progress.step // plan.steps_per_epoch)  # what an earlier process left undone, or epoch 0
    seconds_per_step = 0.0
    clock = session.commands.clock
    last_state = clock()
    while progress.step < plan.total_steps:
        session.commands.check()
        started = clock()
        result = session.steps.run(progress.step)
        progress.step += 1
        epoch_ends = progress.step % plan.steps_per_epoch == 0
        if not epoch_ends and clock() - last_state > _SECONDS_BETWEEN_STATES:
            session.save_state()
            last_state = clock()
        seconds = clock() - started
        seconds_per_step = 0.9 * seconds_per_step + 0.1 * seconds if seconds_per_step else seconds
        weighted = {} if result.optimized == result.loss else {"optimized_loss": result.optimized}
        scaled = {} if result.keys_scaled is None else {"keys_scaled": result.keys_scaled}
        emit(
            {
                "type": "step",
                "step": progress.step,
                "epoch": (progress.step - 1) // plan.steps_per_epoch + 1,
                "loss": result.loss,
                **weighted,
                **scaled,
                "learning_rate": plan.settings.unet_lr * result.factor,
                "seconds_per_step": seconds_per_step,
            }
        )
        progress.compute_seconds += result.compute_seconds
        progress.train_seconds += clock() - started
        if epoch_ends:
            finish_epoch(session, progress.step // plan.steps_per_epoch)
            last_state = clock()


def _nan_loss(error: NonFiniteError, step: int, precision: str) -> Failure:
    cure = "choose bf16 or no mixed precision" if precision == "fp16" else "choose a smaller networkAlpha"
    return Failure(
        "nan_loss",
        f"Expected finite numbers in training, but at step {step + 1} {error}: nothing broken was saved. "
        f"Use lower learning rates and plan the run again, or {cure}.",
    )
