"""How each step is done. All are safe to repeat: what a cut leaves half done is done again."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .failure import Failure, StepFailed, recognise_failure
from .node_search import Node
from .private_node import install_private_node
from .read_facts import LOCK_STAMP, WITHOUT_DEVELOPMENT
from .trainer_size import trainer_size
from .wanted_packages import hash_of_lock, wanted_entries

#: Packages are loaded packed.
_PACKED = 0.4

#: Runs a command; each line goes to the function. Throws Cancelled, or StepFailed with its reason or `otherwise`.
RunProgram = Callable[[Sequence[str], Callable[[str], None], Failure], None]


@dataclass(frozen=True)
class Workplace:
    """What a step may use. `node` is set for every step after the first."""

    repository: Path
    home: Path
    node: Node | None
    environment: dict[str, str]
    run: RunProgram
    log: Callable[[str], None]
    progress: Callable[[float], None]


def do_step(code: str, place: Workplace) -> None:
    """Throws StepFailed, Cancelled or OSError."""
    work = {"node": _install_node, "packages": _install_packages, "build": _build, "trainer": _install_trainer}
    work[code](place)


def _install_node(place: Workplace) -> None:
    otherwise = Failure(
        "node_failed",
        "pip could not install the private Node. Look at the details, or install Node 20.19 or newer yourself "
        "(nodejs.org), start the WebUI again and press Try again.",
    )

    def run(command: Sequence[str], on_line: Callable[[str], None]) -> None:
        def both(line: str) -> None:
            on_line(line)
            if not line.startswith("Progress "):
                place.log(line)

        place.run(command, both, otherwise)

    install_private_node(place.home, place.environment, run, place.progress)


def _install_packages(place: Workplace) -> None:
    node = _node_of(place)
    if node.npm is None:
        raise StepFailed(
            "npm_missing",
            f"Node {node.version} is at {node.path}, but npm did not come with it. Install npm, or let Train LoRA "
            "install a private Node, and press Try again.",
        )
    lock = place.repository / "package-lock.json"
    total = len(wanted_entries(json.loads(lock.read_text("utf-8"))))
    # npm asks once for each package's description and once for the package itself.
    count = _Counter(2 * total, place)
    # A user's default without optional packages would leave out the native parts of all others.
    flags = ("--omit=dev", "--include=optional", "--no-audit", "--no-fund", "--loglevel=http")
    otherwise = Failure(
        "packages_failed", "npm could not install the server's packages. Look at the details and press Try again."
    )
    place.run((str(node.path), str(node.npm), "ci", *flags), count.take, otherwise)
    stamp = place.repository / LOCK_STAMP
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(hash_of_lock(lock) + WITHOUT_DEVELOPMENT, "utf-8")


def _build(place: Workplace) -> None:

    def on_line(line: str) -> None:
        place.log(line)
        if line.startswith("Building the "):
            place.progress(0.5 if "ui" in line else 0.1)

    otherwise = Failure("build_failed", "The build ended with an error. Look at the details and press Try again.")
    place.run((str(_node_of(place).path), "tools/build.mjs", "--if-stale"), on_line, otherwise)


def _install_trainer(place: Workplace) -> None:
    said = _TrainerLines(place)
    otherwise = Failure(
        "trainer_failed", "The trainer's Python could not be installed. Look at the details and press Try again."
    )
    command = (str(_node_of(place).path), "dist/server/cli.js", "setup", "--home", str(place.home), "--json")
    try:
        place.run(command, said.take, otherwise)
    except StepFailed as failed:
        if said.failure is None:
            raise
        raise said.as_step_failed() from failed
    if said.failure is not None:
        raise said.as_step_failed()


def _node_of(place: Workplace) -> Node:
    if place.node is None:
        raise StepFailed(
            "node_missing",
            "No Node 20.19 or newer was found. Let Train LoRA install a private one, or install Node yourself "
            "(nodejs.org) and start the WebUI again; then press Try again.",
        )
    return place.node


class _Counter:
    """Turns npm's lines about requests into progress; the log gets one short line for each package."""

    def __init__(self, total: int, place: Workplace) -> None:
        self._total, self._seen, self._place = max(1, total), 0, place

    def take(self, line: str) -> None:
        if not line.startswith("npm http"):
            self._place.log(line)
            return
        self._seen += 1
        self._place.progress(min(0.95, self._seen / self._total))
        archive = re.search(r"/([^/\s]+\.tgz)\b", line)
        if archive is not None:
            self._place.log(f"fetched {archive.group(1)}")


class _TrainerLines:
    """Reads the JSON lines of `train-lora setup`; a line that is none of them is text for the log."""

    def __init__(self, place: Workplace) -> None:
        self.failure: Failure | None = None
        self._place = place
        self._last: list[str] = []
        #: Megabytes of the files that pip has loaded before the present one, and of that one.
        self._before, self._file = 0.0, 0.0
        self._expected = trainer_size()[1] * _PACKED

    def take(self, line: str) -> None:
        message = _json_object(line)
        kind = None if message is None else message.get("type")
        if message is None or kind not in ("line", "progress", "done", "failed"):
            self._tell(line)
        elif kind == "line":
            self._tell(str(message.get("text", "")))
        elif kind == "progress":
            self._tell_progress(_fraction(message.get("done"), message.get("total")))
        elif kind == "failed":
            code, text = str(message.get("code", "trainer_failed")), str(message.get("message", ""))
            self.failure = Failure(code, text, str(message.get("details") or ""))
            self._tell(text)

    def as_step_failed(self) -> StepFailed:
        said = self.failure or Failure("trainer_failed", "The trainer's Python could not be installed.")
        tail = [*self._last[-40:], *said.details.splitlines()]
        # What the server says of a missing program is better than our guess; of pip it knows less than its output.
        known = said if said.code != "install_failed" else recognise_failure(1, tail, said)
        return StepFailed(known.code, known.message, known.details or "\n".join(tail))

    def _tell(self, text: str) -> None:
        self._last.append(text)
        self._place.log(text)
        file = re.match(r"Downloading \S+\.whl \(([\d.]+) ([kMG])B\)", text)
        if file is not None:
            self._before += self._file
            self._file = float(file[1]) * {"k": 0.001, "M": 1.0, "G": 1000.0}[file[2]]
            self._tell_progress(0.0)
        elif text.startswith("Installing collected packages"):
            self._place.progress(1.0)

    def _tell_progress(self, of_file: float) -> None:
        self._place.progress(min(1.0, (self._before + of_file * self._file) / self._expected))


def _json_object(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _fraction(done: Any, total: Any) -> float:
    if isinstance(done, (int, float)) and isinstance(total, (int, float)) and total > 0:
        return max(0.0, min(1.0, done / total))
    return 0.0
