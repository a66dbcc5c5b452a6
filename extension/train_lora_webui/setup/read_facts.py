"""Reads from the disk what is there and what there should be. Needs no Node, so that the panel can be drawn without."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .needed_steps import Facts, Record, StepFacts, TorchFacts, Version
from .node_search import Node
from .wanted_packages import hash_of_lock

#: The parts of tools/build.mjs: its stamp's name, its sources, and a file that proves the output.
BUILD_PARTS = (
    ("server", ("server", "protocol", "package.json", "tools/build.mjs"), "dist/server/cli.js"),
    ("ui", ("ui", "protocol", "package.json"), "dist/ui/index.html"),
)
LOCK_STAMP = "node_modules/.train-lora-lock"
#: Behind the hash: only what running and building needs is installed. tools/bootstrap.mjs then installs the rest.
WITHOUT_DEVELOPMENT = " production"
RECORD_FILE = "setup.json"


def read_facts(repository: Path, home: Path, node: Node | None) -> Facts:
    """`repository` is the extension's own folder. A missing file is a fact; takes about 20 ms."""
    repository = repository.resolve()
    record = read_record(home)
    return Facts(
        node=node,
        packages=_packages_facts(repository),
        build=_build_facts(repository, record),
        trainer=_trainer_facts(repository, home, record),
        record=record,
        version=read_version(repository),
        torch=_torch_facts(_trainer_venvs(repository, home)),
    )


def read_record(home: Path) -> Record:
    try:
        found = json.loads((home / RECORD_FILE).read_text("utf-8"))
        version = found.get("version")
        return Record(
            version=Version(str(version["number"]), str(version["commit"])) if version else None,
            packages=found.get("packages"),
            build=found.get("build"),
            trainer=found.get("trainer"),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # One that a power cut left half written counts as none: the stamps beside the results decide.
        return Record()


def write_record(home: Path, record: Record) -> None:
    version = None if record.version is None else {"number": record.version.number, "commit": record.version.commit}
    content = {"version": version, "packages": record.packages, "build": record.build, "trainer": record.trainer}
    home.mkdir(parents=True, exist_ok=True)
    half = home / f"{RECORD_FILE}.{os.getpid()}.tmp"
    half.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
    half.replace(home / RECORD_FILE)


def read_version(repository: Path) -> Version:
    package = json.loads((repository / "package.json").read_text("utf-8"))
    return Version(str(package["version"]), _commit(repository))


def hash_of_file(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def hash_of_sources(repository: Path, sources: Iterable[str]) -> str:
    """The very hash that tools/build.mjs writes into its stamp."""
    files = sorted(file for source in sources for file in _files_below(str(repository / source)))
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.encode())
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()


def _files_below(path: str) -> list[str]:
    if not os.path.isdir(path):  # noqa: PTH112 - os.scandir is five times as fast here
        return [path]
    with os.scandir(path) as entries:
        return [file for entry in entries if entry.name != "node_modules" for file in _files_below(entry.path)]


def _packages_facts(repository: Path) -> StepFacts:
    lock = repository / "package-lock.json"
    wanted, stamp = hash_of_lock(lock), _text(repository / LOCK_STAMP)
    if stamp is None:
        return StepFacts(wanted, None)
    present = stamp.replace(WITHOUT_DEVELOPMENT, "")
    # tools/bootstrap.mjs, which installs what development needs too, takes the whole file.
    return StepFacts(wanted, wanted if present == hash_of_file(lock) else present)


def _build_facts(repository: Path, record: Record) -> StepFacts:
    hashes = [hash_of_sources(repository, sources) for _, sources, _ in BUILD_PARTS]
    wanted = hashlib.sha256("".join(hashes).encode()).hexdigest()
    if not all((repository / output).is_file() for _, _, output in BUILD_PARTS):
        return StepFacts(wanted, None)
    stamps = [_text(repository / "dist" / f".{name}-sources") for name, _, _ in BUILD_PARTS]
    # The record counts as well: where Node and Python spell the folder's path differently their hashes differ. But a
    # stamp is missing while its part is being built.
    is_recorded = record.build == wanted and None not in stamps
    return StepFacts(wanted, wanted if stamps == hashes or is_recorded else "other")


def _trainer_facts(repository: Path, home: Path, record: Record) -> StepFacts:
    wanted = hash_of_file(repository / "trainer-py" / "requirements.txt")
    markers = [_marker(venv).get("requirements") for venv in _trainer_venvs(repository, home)]
    # The server writes no marker into a venv of the user's own that has all packages already.
    if wanted in markers or (os.environ.get("TRAIN_LORA_VENV") and markers and record.trainer == wanted):
        return StepFacts(wanted, wanted)
    return StepFacts(wanted, next((str(marker) for marker in markers if marker is not None), None))


def _trainer_venvs(repository: Path, home: Path) -> list[Path]:
    named = os.environ.get("TRAIN_LORA_VENV")
    venvs = [Path(named)] if named else [home / "venv-trainer", repository / "data" / "venv-trainer"]
    return [venv for venv in venvs if (venv / "pyvenv.cfg").is_file()]


def _torch_facts(venvs: Iterable[Path]) -> TorchFacts | None:
    """As server/trainer/venv.ts writes them: only while the torch that came can't use the GPU."""
    said = next((marker["torch"] for marker in map(_marker, venvs) if isinstance(marker.get("torch"), dict)), None)
    if said is None:
        return None
    named = os.environ.get("TRAIN_LORA_TORCH_INDEX", "").strip()
    is_other = bool(named) and hashlib.sha256(named.encode()).hexdigest() != said.get("index")
    return TorchFacts(str(said.get("warning", "")), is_other)


def _marker(venv: Path) -> dict[str, Any]:
    """What the server wrote into a venv once it was whole."""
    try:
        found = json.loads((venv / "train-lora.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _commit(repository: Path) -> str:
    git = repository / ".git"
    pointer = _text(git) if git.is_file() else None
    if pointer is not None and pointer.startswith("gitdir: "):
        git = (repository / pointer[len("gitdir: ") :].strip()).resolve()
    head = (_text(git / "HEAD") or "").strip()
    if not head.startswith("ref: "):
        return head[:10]
    name = head[len("ref: ") :]
    loose = (_text(git / name) or "").strip()
    packed = re.search(rf"^([0-9a-f]{{40}}) {re.escape(name)}$", _text(git / "packed-refs") or "", re.MULTILINE)
    return (loose or (packed.group(1) if packed else ""))[:10]


def _text(file: Path) -> str | None:
    try:
        return file.read_text("utf-8")
    except (OSError, ValueError):
        return None
