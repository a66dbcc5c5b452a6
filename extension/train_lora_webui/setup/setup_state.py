"""The set-up as the panel and the rest of the shim see it."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from .needed_steps import STEPS, Facts, Version, is_update, needed_steps, opens_without
from .node_search import Node, NodeSearch, find_node
from .private_node import NODE_MEGABYTES, NODE_VERSION, choose_way
from .read_changes import read_changes
from .read_facts import read_facts
from .setup_environment import setup_environment
from .setup_run import Place, SetupRun, StepState
from .trainer_size import free_megabytes, installed_part, trainer_size

#: The panel asks each second; hashing the sources and asking Node take some tens of milliseconds.
FRESH_SECONDS = 3.0
FRESH_SECONDS_WHEN_READY = 60.0
#: Rough seconds on two cores, as weights for the bar of the whole.
_WEIGHTS = {"node": 20, "packages": 15, "build": 5, "trainer": 200}
_PACKAGES_MEGABYTES = 115
_BUILD_MEGABYTES = 2
#: The panel names so many of the packages that an update changes, and counts the others.
_SHOWN_CHANGES = 4


class KnownFacts:
    """The last facts that were read, for a short while. May be asked from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: tuple[float, Place, NodeSearch, Facts] | None = None

    def read(self, place: Place) -> tuple[NodeSearch, Facts]:
        with self._lock:
            if self._known is not None:
                read_at, known_place, found, facts = self._known
                limit = FRESH_SECONDS if needed_steps(facts) else FRESH_SECONDS_WHEN_READY
                if known_place == place and time.monotonic() - read_at < limit:
                    return found, facts
            found = find_node(place.node_setting, place.home, setup_environment(os.environ))
            facts = read_facts(place.repository, place.home, found.node)
            self._known = (time.monotonic(), place, found, facts)
            return found, facts

    def forget(self) -> None:
        with self._lock:
            self._known = None


def setup_state(place: Place, run: SetupRun, known: KnownFacts) -> dict[str, Any]:
    """JSON-able; drawn by extension/javascript/. `status`: ready, needed, running, failed or cancelled."""
    running = run.running()
    found, facts = known.read(place)
    needed = needed_steps(facts)
    planned = tuple(StepState(step.code, step.reason) for step in needed)
    unfinished = bool(needed) and (run.failure() is not None or run.stopped())
    # A run that ended before it knew its steps has none to show.
    shown = (run.steps() or planned) if running or unfinished else planned
    shown = tuple(_with_installed(step, place) for step in shown)
    failure = run.failure() if unfinished and not running else None
    kind, trainer_megabytes = trainer_size()
    megabytes = {
        "node": NODE_MEGABYTES,
        "packages": _PACKAGES_MEGABYTES,
        "build": _BUILD_MEGABYTES,
        "trainer": trainer_megabytes,
    }
    return {
        "status": _status(run, running, bool(needed), failure is not None),
        "steps": [_step_json(step, place) for step in shown],
        "progress": round(_whole(shown), 3),
        "needed": [vars(step) for step in needed],
        "places": {code: str(_folder(code, place)) for code in STEPS},
        "megabytes": megabytes,
        "freeMegabytes": free_megabytes(place.home),
        "torch": kind,
        "node": _node_json(found.node),
        "nodeProblems": [vars(problem) for problem in found.problems],
        "privateNode": {"version": NODE_VERSION, "possible": _can_have_private_node(place)},
        "failure": None if failure is None else {**vars(failure), "step": _failed_step(shown)},
        "opensWithoutTrainer": opens_without(needed),
        "torchWarning": "" if needed or facts.torch is None else facts.torch.warning,
        "version": _version_json(facts.version),
        "updatedFrom": _version_json(facts.record.version) if is_update(facts) else None,
        "logFile": str(place.home / "setup.log"),
    }


def hide_folders(state: dict[str, Any], lines: list[str], place: Place) -> tuple[dict[str, Any], list[str]]:
    """The same without a folder of this machine, for a WebUI that hides its own (`--hide-ui-dir-config`)."""
    names = sorted(
        {str(place.repository): "<extension>", str(place.home): "<home>", str(Path.home()): "<user>"}.items(),
        key=lambda pair: -len(pair[0]),
    )

    def hidden(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: hidden(part) for key, part in value.items()}
        if isinstance(value, list):
            return [hidden(part) for part in value]
        if isinstance(value, str):
            for folder, name in names:
                value = value.replace(folder, name)
        return value

    without = {**hidden(state), "places": {}, "logFile": ""}
    without["node"] = None if state["node"] is None else {**state["node"], "path": ""}
    without["nodeProblems"] = [
        {**problem, "path": "", "message": problem["message"].replace(problem["path"], "node")}
        for problem in state["nodeProblems"]
    ]
    return without, hidden(lines)


def _status(run: SetupRun, running: bool, needed: bool, failed: bool) -> str:
    if running:
        return "running"
    if not needed:
        return "ready"
    return "failed" if failed else "cancelled" if run.stopped() else "needed"


def _with_installed(step: StepState, place: Place) -> StepState:
    """The trainer's own word on its progress ends when pip has loaded everything: that is half of the step."""
    if step.code != "trainer" or step.status != "running":
        return step
    part = installed_part(place.home, place.repository / "trainer-py" / "requirements.txt")
    return replace(step, progress=min(0.99, step.progress / 2 + part / 2))


def _step_json(step: StepState, place: Place) -> dict[str, Any]:
    told = {**vars(step), "progress": round(step.progress, 3), "seconds": round(step.seconds, 1)}
    is_ahead = step.reason == "changed" and step.status == "waiting"
    changes = read_changes(step.code, place.repository, _folder("trainer", place)) if is_ahead else ()
    return {**told, "changes": [vars(change) for change in changes[:_SHOWN_CHANGES]], "changesInAll": len(changes)}


def _whole(steps: tuple[StepState, ...]) -> float:
    weight = sum(_WEIGHTS[step.code] for step in steps)
    return sum(_WEIGHTS[step.code] * step.progress for step in steps) / weight if weight else 0.0


def _failed_step(steps: tuple[StepState, ...]) -> str | None:
    return next((step.code for step in steps if step.status == "failed"), None)


def _folder(code: str, place: Place) -> Path:
    return {
        "node": place.home / "node",
        "packages": place.repository / "node_modules",
        "build": place.repository / "dist",
        "trainer": place.home / "venv-trainer",
    }[code]


def _can_have_private_node(place: Place) -> bool:
    return choose_way(place.home, setup_environment(os.environ)) is not None


def _node_json(node: Node | None) -> dict[str, Any] | None:
    if node is None:
        return None
    return {"path": str(node.path), "version": node.version, "source": node.source, "npm": node.npm is not None}


def _version_json(version: Version | None) -> dict[str, str] | None:
    return None if version is None else {"number": version.number, "commit": version.commit}
