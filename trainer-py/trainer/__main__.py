"""`python -m trainer train | review | grid | lora | device`: the border where every failure becomes an event."""

import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

# Waiting threads that spin would cost most of the time whenever another program wants the same cores; this must be
# said before the first import of torch.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from trainer.events import emit, silence, write_line  # noqa: E402
from trainer.failure import Failure  # noqa: E402

_NO_MEMORY = ("out of memory", "not enough memory", "'t allocate memory", "cannot allocate memory")

USAGE = "usage: python -m trainer train RUN_DIR | review RUN_DIR | grid REQUEST.json | lora REQUEST.json | device"


def main(arguments: list[str]) -> int:
    """Exit code: 0 done, paused or stopped, 1 failed (said as a `failed` event), 2 wrong usage."""
    match arguments:
        case ["device"]:
            return _guard(_device)
        case ["train", run_dir]:
            return _guard(lambda: _train(Path(run_dir)))
        case ["review", run_dir]:
            return _guard(lambda: _review(Path(run_dir)))
        case ["grid", request]:
            return _guard(lambda: _grid(Path(request)))
        case ["lora", request]:
            return _guard(lambda: _lora(request))
    sys.stderr.write(USAGE + "\n")
    return 2


def _device() -> None:
    from trainer.device import device_facts

    write_line(device_facts())


def _train(run_dir: Path) -> None:
    from trainer.plan import read_plan
    from trainer.processes import start_processes

    count = 1 if _is_follower() else read_plan(run_dir / "plan.json").settings.num_processes
    processes = start_processes(["train", str(run_dir.absolute())], count)
    try:
        _train_together(run_dir)
    finally:
        processes.end()


def _train_together(run_dir: Path) -> None:
    from trainer.processes import leave_with_parent
    from trainer.ranks import open_ranks

    if _is_follower():
        silence()
        leave_with_parent()
        _follow()
        return
    from trainer.commands import Commands

    commands = Commands()
    commands.listen()
    ranks = open_ranks()
    from trainer.train import train

    train(run_dir, commands, ranks)


def _follow() -> None:
    from trainer.ranks import open_ranks
    from trainer.run.follow import follow

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # they reach the first process too, which says what comes of them
    ranks = open_ranks()
    try:
        follow(ranks)
    except Exception as error:
        ranks.fail(error if isinstance(error, Failure) else _failure_of(error))
        raise


def _is_follower() -> bool:
    return os.environ.get("RANK", "0") != "0"


def _review(run_dir: Path) -> None:
    from trainer.commands import Commands
    from trainer.run.review import review

    commands = Commands()
    commands.listen()
    review(run_dir, commands)


def _grid(request: Path) -> None:
    from trainer.grid.draw_grid import run_grid

    run_grid(request)


def _lora(request: str) -> None:
    from trainer.tools.run_tool import run_tool

    run_tool(request)


def _guard(work: Callable[[], None]) -> int:
    try:
        work()
        return 0
    except Failure as failure:
        return _fail(failure)
    except Exception as error:  # noqa: BLE001
        _log(traceback.format_exc())
        return _fail(_failure_of(error))


def _fail(failure: Failure) -> int:
    details = {"details": failure.details} if failure.details else {}
    _log(f"{failure.code}: {failure.message}\n")
    emit({"type": "failed", "code": failure.code, "message": failure.message, **details})
    return 1


def _log(text: str) -> None:
    with contextlib.suppress(OSError):  # a full disk takes no log, and the event must go out all the same
        sys.stderr.write(text)
        sys.stderr.flush()


def _failure_of(error: Exception) -> Failure:
    from trainer.atomic_file import disk_full

    text = f"{type(error).__name__}: {error}"
    full = disk_full(Path(error.filename or "the run's files"), error) if isinstance(error, OSError) else None
    if full:
        return full
    if isinstance(error, MemoryError) or any(words in text.lower() for words in _NO_MEMORY):
        return Failure(
            "out_of_memory",
            "Expected enough memory for the next step, but there was none left; lower the batch size or the "
            "resolution, close other programs, and resume or plan the run again.",
            text,
        )
    return Failure(
        "crashed",
        f"The trainer stopped at something unexpected ({text[:200]}). Finished epochs are kept and the run can be "
        "resumed; the end of its log says more.",
        traceback.format_exc(limit=-4),
    )


def _leave(code: int) -> None:
    # Processes that talk with each other wait for each other at Python's own end, also for one that has gone.
    if "torch.distributed" in sys.modules and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    _leave(main(sys.argv[1:]))
