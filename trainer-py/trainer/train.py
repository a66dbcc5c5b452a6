"""`python -m trainer train RUN_DIR`: from a frozen plan to one LoRA and one row of the grid an epoch.

Setup, then one loop in a fixed order: command? step, say it, state; at the end of an epoch the evaluation, the state,
the LoRA and the grid row. Whatever is done is noted in the state, so that a resumption does only what is missing.
"""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from trainer import atomic_file
from trainer.commands import Ask, Commands, Interrupted
from trainer.device import pick_device
from trainer.events import emit
from trainer.failure import Failure, NonFiniteError
from trainer.journal import Journal
from trainer.peak_memory import peak_rss_mb
from trainer.plan import Plan, Run, extended, read_plan, read_run
from trainer.progress import Progress
from trainer.ranks import ALONE, Ranks
from trainer.run.epoch_end import finish_epoch
from trainer.run.follow import invitation, session_state
from trainer.run.mid_run import sample_now, save_now
from trainer.run.pace import Pace
from trainer.run.parking import parked_and_told
from trainer.run.session import Session, open_session
from trainer.run.state import StateFolder
from trainer.step.optimizer_classes import check_optimizer

_SECONDS_BETWEEN_STATES = 60
_PRECISION = {"no": "fp32", "fp16": "fp16", "bf16": "bf16"}


def train(run_dir: Path, commands: Commands, ranks: Ranks = ALONE) -> None:
    """Train the plan in `run_dir` to its end or until a command comes in, with all `ranks`. Raises Failure."""
    try:
        _train(run_dir, commands, ranks)
    finally:
        with suppress(Failure):  # one that has gone already needs not be sent
            ranks.leave()


def _train(run_dir: Path, commands: Commands, ranks: Ranks) -> None:
    device = pick_device()
    folder = StateFolder(run_dir / "state")
    while True:
        commands.parking = nullcontext
        gc.collect()  # a session that is over holds the whole model in circles
        plan = read_plan(run_dir / "plan.json")
        run = read_run(run_dir / "run.json", plan)
        plan = extended(plan, run)
        check_optimizer(plan.settings)
        progress = folder.read(plan.id)
        try:
            if _go_on(Start(plan, run, run_dir, device, commands, folder, progress, ranks)):
                return
        except NonFiniteError as error:
            _go_back(error, progress, folder, plan)


@dataclass(frozen=True)
class Start:
    """What a session is opened with."""

    plan: Plan
    run: Run
    run_dir: Path
    device: torch.device
    commands: Commands
    folder: StateFolder
    progress: Progress
    ranks: Ranks


def _go_on(start: Start) -> bool:
    """Open a session and train in it; False when the run has been extended meanwhile and wants to be opened anew."""
    plan, progress, commands, ranks = start.plan, start.progress, start.commands, start.ranks
    emit(
        {
            "type": "started",
            "pid": os.getpid(),
            "device": str(start.device),
            "precision": _PRECISION[plan.settings.mixed_precision],
            "step": progress.step,
            "total_steps": plan.total_steps,
            "epochs": plan.settings.epochs,
        }
    )
    atomic_file.remove_partials(Path(start.run.lora_dir), start.run.files)
    Journal(start.run_dir).repeat_lost(progress)
    session: Session | None = None

    @contextmanager
    def parking() -> Iterator[None]:
        # With the state on disk a pause or a kill while it stands still needs nothing of what is parked.
        if session:
            session.save_state()
        ranks.park()
        with parked_and_told(start.device, progress.step):
            yield
        ranks.tell("unpark")

    commands.parking = parking
    try:
        session = _open(start)
        whole = _loop(session)
    except Interrupted as interrupted:
        if session:
            _answer(session, asked=[ask for ask in commands.take() if ask == "saveNow"])
            session.save_state()
        # Before the word, because a command may come of another process' end.
        ranks.leave()
        emit({"type": "paused" if interrupted.command == "pause" else "stopped", "step": progress.step})
        return True
    if whole:
        _tell_finished(progress)
    return whole


def _open(start: Start) -> Session:
    """A session at its saved state, in this process and all others."""
    ranks = start.ranks
    if ranks.count > 1:
        ranks.tell("open", payload=invitation(start.run_dir))
    session = open_session(
        start.plan,
        start.run,
        start.run_dir,
        device=start.device,
        commands=start.commands,
        folder=start.folder,
        progress=start.progress,
        ranks=ranks,
    )
    if ranks.count > 1:
        ranks.tell("state", payload=session_state(session))
    return session


def _tell_finished(progress: Progress) -> None:
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


def _loop(session: Session) -> bool:
    """Steps and epochs to the end; False when the run has been extended and the state saved for it."""
    plan, progress = session.plan, session.progress
    if progress.step:
        finish_epoch(session, 0)  # what an earlier process left undone
        if progress.step % plan.steps_per_epoch == 0:
            finish_epoch(session, progress.step // plan.steps_per_epoch)
    pace = Pace(session)
    last_state = session.commands.clock()
    while progress.step < plan.total_steps:
        session.commands.check()
        asked = session.commands.take()
        _answer(session, asked)
        if "extend" in asked:
            session.save_state()
            return False
        pace.begin()
        session.ranks.tell("step", step=progress.step, rate=progress.rate)
        result = session.steps.run(progress.step, progress.rate)
        progress.step += 1
        epoch_ends = progress.step % plan.steps_per_epoch == 0
        if not epoch_ends and session.commands.clock() - last_state > _SECONDS_BETWEEN_STATES:
            session.save_state()
            last_state = session.commands.clock()
        pace.end(result)
        if progress.step == 1:
            # The base model has its turn after the first step, which is where memory runs out if it does.
            finish_epoch(session, 0)
            last_state = session.commands.clock()
        if epoch_ends:
            finish_epoch(session, progress.step // plan.steps_per_epoch)
            last_state = session.commands.clock()
    asked = session.commands.take()
    _answer(session, asked)
    return "extend" not in asked


def _answer(session: Session, asked: list[Ask]) -> None:
    for ask in asked:
        if ask == "saveNow":
            save_now(session)
        elif ask == "sampleNow":
            sample_now(session)


def _go_back(error: NonFiniteError, progress: Progress, folder: StateFolder, plan: Plan) -> None:
    """Once: back to the last good epoch, to go on with half the learning rate. Raises Failure the second time."""
    if progress.rate < 1:
        raise _nan_loss(error, progress.step, plan.settings.mixed_precision) from error
    broken = progress.step + 1
    folder.go_back(progress, rate=0.5)
    epoch = progress.step // plan.steps_per_epoch
    where = f"the end of epoch {epoch}" if epoch else "the start"
    emit(
        {
            "type": "warning",
            "message": f"At step {broken} {error}. Training goes on from {where} with half the learning rates; "
            "nothing broken was saved.",
        }
    )


def _nan_loss(error: NonFiniteError, step: int, precision: str) -> Failure:
    cure = "choose bf16 or no mixed precision" if precision == "fp16" else "choose a smaller networkAlpha"
    return Failure(
        "nan_loss",
        f"Expected finite numbers in training, but at step {step + 1} {error}, at half the learning rates too: "
        "nothing broken was saved. "
        f"Use lower learning rates and plan the run again, or {cure}.",
    )
