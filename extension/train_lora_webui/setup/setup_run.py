"""One set-up at a time in a thread of its own. Lives in an imported module, so that "Reload UI" does not touch it."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .child_process import Surroundings, run_child
from .failure import Cancelled, Failure, StepFailed, failure_of_os_error, recognise_failure
from .masking import mask_secrets
from .needed_steps import Facts, NeededStep, Record, needed_steps
from .node_search import NodeSearch, find_node
from .read_changes import read_changes
from .read_facts import read_facts, write_record
from .setup_environment import setup_environment
from .setup_lock import SetupLock, take_repository_lock, take_setup_lock
from .setup_log import SetupLog
from .step_work import Workplace, do_step

#: Steps that replace files which a running server uses.
_UNDER_THE_SERVER = frozenset({"packages", "build"})


@dataclass(frozen=True)
class Place:
    """Where a set-up works. `before_change` makes a running server leave, or returns the sentence why it can't now."""

    repository: Path
    home: Path
    node_setting: str | None = None
    before_change: Callable[[], str | None] = lambda: None


@dataclass(frozen=True)
class StepState:
    """`status`: waiting, running, done, failed or cancelled. `progress` 0–1; `seconds` that it has taken."""

    code: str
    reason: str
    status: str = "waiting"
    progress: float = 0.0
    seconds: float = 0.0


class SetupRun:
    """Every method may be called from any thread."""

    def __init__(self, log: SetupLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._thread: threading.Thread | None = None
        self._steps: tuple[StepState, ...] = ()
        self._began = 0.0
        self._failure: Failure | None = None
        self._stopped = False

    def start(self, place: Place, private_node: bool, better_torch: bool = False) -> bool:
        """False when one is running already."""
        with self._lock:
            if self.running():
                return False
            self._cancelled = threading.Event()
            self._steps, self._failure, self._stopped = (), None, False
            self._thread = threading.Thread(
                target=self._work, args=(place, private_node, better_torch), name="train-lora-setup", daemon=True
            )
            self._thread.start()
        return True

    def cancel(self) -> None:
        self._cancelled.set()

    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def wait(self, seconds: float) -> bool:
        """Whether it had ended before `seconds` were over."""
        if self._thread is not None:
            self._thread.join(seconds)
        return not self.running()

    def steps(self) -> tuple[StepState, ...]:
        seconds = time.monotonic() - self._began
        return tuple(replace(step, seconds=seconds) if step.status == "running" else step for step in self._steps)

    def failure(self) -> Failure | None:
        return self._failure

    def stopped(self) -> bool:
        """Whether the last one ended by `cancel`."""
        return self._stopped

    def _work(self, place: Place, private_node: bool, better_torch: bool) -> None:
        self._log.open(place.home / "setup.log")
        lock: SetupLock | None = None
        try:
            lock = take_setup_lock(place.home)
            self._all_steps(place, lock, private_node, better_torch)
        except StepFailed as failed:
            self._end("failed", failed.failure)
        except OSError as error:
            self._end("failed", failure_of_os_error(error))
        except Cancelled:
            self._stopped = True
            self._end("cancelled", None)
        except Exception as error:  # noqa: BLE001 - the border of the thread: nobody else would tell the user
            text = f"The set-up met an error of its own ({type(error).__name__}: {error}). Press Try again."
            self._end("failed", Failure("unknown", text))
        finally:
            if lock is not None:
                lock.release()

    def _all_steps(self, place: Place, lock: SetupLock, private_node: bool, better_torch: bool) -> None:
        found = find_node(place.node_setting, place.home, setup_environment(os.environ))
        facts = read_facts(place.repository, place.home, found.node)
        needed = needed_steps(facts, private_node, better_torch)
        _refuse_without_node(needed, private_node, found)
        self._steps = tuple(StepState(step.code, step.reason) for step in needed)
        self._log.add(f"Set-up of Train LoRA {facts.version.number} {facts.version.commit}".rstrip())
        for step in needed:
            self._tell_changes(step, place)
        record = facts.record
        for step in needed:
            self._one_step(step.code, place, lock)
            record = _with_done(record, step.code, facts)
            write_record(place.home, record)
        write_record(place.home, replace(record, version=facts.version))
        self._log.add("The set-up is done.")

    def _one_step(self, code: str, place: Place, lock: SetupLock) -> None:
        if self._cancelled.is_set():
            raise Cancelled
        self._began = time.monotonic()
        self._change(code, status="running")
        with contextlib.ExitStack() as stack:
            if code in _UNDER_THE_SERVER:
                # Another WebUI may share this folder with a home of its own.
                stack.callback(take_repository_lock(place.repository).release)
                refusal = place.before_change()
                if refusal is not None:
                    raise StepFailed("server_busy", refusal)
            self._work_on(code, place, lock)
        seconds = time.monotonic() - self._began
        self._change(code, status="done", progress=1.0, seconds=seconds)
        self._log.add(f"[{code}] done in {seconds:.1f} s")

    def _work_on(self, code: str, place: Place, lock: SetupLock) -> None:
        # The step before may have brought the Node that this one runs on.
        node = None if code == "node" else find_node(place.node_setting, place.home, setup_environment(os.environ)).node
        environment = setup_environment(os.environ, None if node is None else node.path)

        def run(command: Sequence[str], on_line: Callable[[str], None], otherwise: Failure) -> None:
            around = Surroundings(place.repository, environment, self._cancelled, lock.note_child, lock.handle)
            ended = run_child(command, on_line, around)
            if self._cancelled.is_set():
                raise Cancelled
            if ended.code != 0:
                known = recognise_failure(ended.code, ended.tail, otherwise)
                raise StepFailed(known.code, known.message, known.details)

        def progress(part: float) -> None:
            self._change(code, progress=part)

        do_step(code, Workplace(place.repository, place.home, node, environment, run, self._log.add, progress))

    def _tell_changes(self, step: NeededStep, place: Place) -> None:
        if step.reason != "changed":
            return
        for change in read_changes(step.code, place.repository, place.home / "venv-trainer"):
            self._log.add(f"[{step.code}] {change.name} {change.before or '-'} → {change.after or '-'}")

    def _change(self, code: str, **changes: object) -> None:
        self._steps = tuple(
            replace(step, **changes) if step.code == code else step  # type: ignore[arg-type]
            for step in self._steps
        )

    def _end(self, status: str, failure: Failure | None) -> None:
        self._steps = tuple(replace(step, status=status) if step.status == "running" else step for step in self.steps())
        self._failure = None if failure is None else _masked(failure)
        self._log.add("The set-up was stopped." if failure is None else f"[{failure.code}] {failure.message}")


def _masked(failure: Failure) -> Failure:
    """Programs, and Python's own errors, may name addresses with passwords in them."""
    return Failure(failure.code, mask_secrets(failure.message), mask_secrets(failure.details))


def _refuse_without_node(needed: Sequence[NeededStep], private_node: bool, found: NodeSearch) -> None:
    wanted = next((step for step in needed if step.code == "node"), None)
    if wanted is None or private_node:
        return
    seen = " ".join(problem.message for problem in found.problems)
    if wanted.reason == "no_npm" and found.node is not None:
        text = f"Node {found.node.version} is at {found.node.path}, but npm did not come with it. Install npm"
        code = "npm_missing"
    else:
        text = f"{seen} Node 20.19 or newer is needed. Install it (nodejs.org) and start the WebUI again".strip()
        code = "node_missing"
    raise StepFailed(code, f"{text}, or let Train LoRA install a private Node.")


def _with_done(record: Record, code: str, facts: Facts) -> Record:
    if code == "packages":
        return replace(record, packages=facts.packages.wanted)
    if code == "build":
        return replace(record, build=facts.build.wanted)
    return replace(record, trainer=facts.trainer.wanted) if code == "trainer" else record
