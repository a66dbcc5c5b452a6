"""Finds a Node that can run Train LoRA, and says why a found one can't."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .private_node import private_node_program

#: The oldest [major, minor] that Train LoRA's packages support; package.json says the same.
OLDEST = (20, 19)
ANSWER_SECONDS = 5.0


@dataclass(frozen=True)
class Node:
    """`npm` is npm's own program for Node (`node npm-cli.js`); None where Node came without npm."""

    path: Path
    version: str
    source: str
    npm: Path | None


@dataclass(frozen=True)
class NodeProblem:
    """`code`: missing, no_answer or too_old. `source`: setting, private or path."""

    source: str
    code: str
    path: str
    message: str


@dataclass(frozen=True)
class NodeSearch:
    node: Node | None
    problems: tuple[NodeProblem, ...]


def find_node(setting: str | None, home: Path, environment: Mapping[str, str]) -> NodeSearch:
    """The user's choice, else the private one, else PATH's. Each that can't be used is told among the problems."""
    problems: list[NodeProblem] = []
    for source, candidate in _candidates(setting, home, environment):
        found = _examine(source, candidate, environment)
        if isinstance(found, Node):
            return NodeSearch(found, tuple(problems))
        problems.append(found)
    return NodeSearch(None, tuple(problems))


def is_new_enough(version: str) -> bool:
    numbers = re.match(r"v?(\d+)\.(\d+)\.", version)
    return numbers is not None and (int(numbers[1]), int(numbers[2])) >= OLDEST


def _candidates(setting: str | None, home: Path, environment: Mapping[str, str]) -> list[tuple[str, Path]]:
    candidates: list[tuple[str, Path]] = []
    if setting:
        named = shutil.which(setting, path=environment.get("PATH")) or setting
        candidates.append(("setting", Path(named).expanduser().absolute()))
    private = private_node_program(home)
    if private is not None:
        candidates.append(("private", private))
    on_path = shutil.which("node", path=environment.get("PATH"))
    if on_path is not None:
        candidates.append(("path", Path(on_path)))
    return candidates


def _examine(source: str, program: Path, environment: Mapping[str, str]) -> Node | NodeProblem:
    if not program.is_file():
        return NodeProblem(source, "missing", str(program), f"There is no program {program}.")
    answer = _ask(program, environment)
    if answer is None:
        sentence = f"{program} did not answer to --version within {ANSWER_SECONDS:.0f} s."
        return NodeProblem(source, "no_answer", str(program), sentence)
    version, real = answer
    if not is_new_enough(version):
        sentence = f"{program} is Node {version}; {OLDEST[0]}.{OLDEST[1]} or newer is needed."
        return NodeProblem(source, "too_old", str(program), sentence)
    return Node(path=real, version=version, source=source, npm=_npm_of(real, environment))


def _ask(program: Path, environment: Mapping[str, str]) -> tuple[str, Path] | None:
    """Version and real path: version managers put small programs on PATH that only find the right Node."""
    try:
        answer = subprocess.run(
            [str(program), "-p", "process.version + ' ' + process.execPath"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            timeout=ANSWER_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    said = re.fullmatch(r"v(\d+\.\d+\.\d+\S*) (.+)", answer.stdout.decode("utf-8", "replace").strip())
    if answer.returncode != 0 or said is None:
        return None
    real = Path(said[2])
    return said[1], real if real.is_file() else program


def _npm_of(node: Path, environment: Mapping[str, str]) -> Path | None:
    inside = ("lib/node_modules/npm/bin/npm-cli.js", "node_modules/npm/bin/npm-cli.js")
    places = [base / part for base in (node.parent, node.parent.parent) for part in inside]
    places.append(Path("/usr/share/nodejs/npm/bin/npm-cli.js"))
    found = next((place for place in places if place.is_file()), None)
    if found is not None:
        return found
    on_path = shutil.which("npm", path=environment.get("PATH"))
    if on_path is None:
        return None
    # On POSIX npm on PATH is a link to npm-cli.js; npm.cmd of Windows stands beside its node_modules.
    real = Path(os.path.realpath(on_path))
    beside = real.parent / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return real if real.suffix == ".js" else beside if beside.is_file() else None
