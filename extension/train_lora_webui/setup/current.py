"""The one set-up of this process. Its state lies in this module, which "Reload UI" leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .needed_steps import needed_steps, opens_without
from .setup_log import SetupLog
from .setup_run import Place, SetupRun
from .setup_state import KnownFacts, hide_folders, setup_state

#: extension/train_lora_webui/setup/current.py lies four folders below the repository's root.
REPOSITORY = Path(__file__).resolve().parents[3]

_log = SetupLog()
_run = SetupRun(_log)
_known = KnownFacts()
_place: Place | None = None
#: What the trainer should be while the user does without it.
_opened_without: str | None = None


def _nothing_to_stop() -> str | None:
    return None


def configure(
    home: Path,
    node_setting: str | None = None,
    before_change: Callable[[], str | None] = _nothing_to_stop,
    repository: Path = REPOSITORY,
) -> None:
    """To be called before anything else; again after each "Reload UI" is fine, and a running set-up goes on.

    `node_setting`: the user's own Node (a path or a name on PATH). `before_change` is called in the set-up's thread
    before packages or the build are replaced: it asks a running server to leave and returns None once it has, or the
    sentence why it can't (a training runs).
    """
    global _place  # noqa: PLW0603 - this module is the place of that state
    _place = Place(repository.resolve(), home.absolute(), node_setting or None, before_change)
    _known.forget()


def state() -> dict[str, Any]:
    """The whole state, JSON-able (see setup_state.py). Reads the disk and may ask Node: not for an event loop."""
    return setup_state(_configured(), _run, _known)


def start(private_node: bool = False, better_torch: bool = False) -> bool:
    """Does what is needed, in a thread. False when a set-up runs already. Also what *Try again* does.

    `better_torch`: installs the trainer's torch once more, where one came that can't use the GPU.
    """
    _known.forget()
    return _run.start(_configured(), private_node, better_torch)


def open_without_trainer(wanted: bool) -> bool:
    """Whether all but training may begin although the trainer's packages are not those of this version.

    Holds until the trainer is installed, another update comes or the WebUI ends; `wanted` False takes it back.
    """
    global _opened_without  # noqa: PLW0603 - this module is the place of that state
    _known.forget()
    _, facts = _known.read(_configured())
    possible = wanted and opens_without(needed_steps(facts))
    _opened_without = facts.trainer.wanted if possible else None
    return possible


def trainer_is_ready() -> bool:
    """False while the user does without the trainer. Not for an event loop."""
    _, facts = _known.read(_configured())
    return all(step.code != "trainer" for step in needed_steps(facts))


def cancel() -> None:
    """Stops the running set-up within some seconds; without one it does nothing."""
    _run.cancel()


def wait(seconds: float) -> bool:
    """Waits for the running set-up; whether it has ended."""
    return _run.wait(seconds)


def log_since(number: int) -> tuple[int, list[str]]:
    """The log's lines from `number` on, and the number to ask with next time."""
    return _log.since(number)


def node_path() -> Path | None:
    """The Node that the server is to run on. Not for an event loop."""
    found, _ = _known.read(_configured())
    return None if found.node is None else found.node.path


def is_ready() -> bool:
    """Whether nothing is left to be set up, or nothing that the user waits for. Not for an event loop."""
    if _run.running():
        return False
    _, facts = _known.read(_configured())
    needed = needed_steps(facts)
    return not needed or (opens_without(needed) and _opened_without == facts.trainer.wanted)


def state_with_log(since: int, without_folders: bool) -> dict[str, Any]:
    """What GET /setup answers: the state, `next` and the log's `lines` from `since` on."""
    following, lines = log_since(since)
    told = state()
    if without_folders:
        told, lines = hide_folders(told, lines, _configured())
    return {**told, "next": following, "lines": lines}


def _configured() -> Place:
    if _place is None:
        raise RuntimeError("setup.configure(home) must be called before anything else of the set-up")
    return _place
