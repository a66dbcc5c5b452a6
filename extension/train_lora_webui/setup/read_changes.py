"""What an update changes among the packages: what is installed now against what its lists ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .wanted_packages import wanted_entries


@dataclass(frozen=True)
class Change:
    """Of one package: its version now and then; "" where it comes or goes."""

    name: str
    before: str
    after: str


def read_changes(code: str, repository: Path, venv: Path) -> tuple[Change, ...]:
    """For the steps `packages` and `trainer`; nothing for the others, and nothing where nothing is installed."""
    if code == "packages":
        installed, wanted = _installed_node_packages(repository), _wanted_node_packages(repository)
    elif code == "trainer":
        wanted = _wanted_python_packages(repository / "trainer-py" / "requirements.txt")
        # What pip brings along by itself is nobody's wish.
        installed = {name: version for name, version in _installed_python_packages(venv).items() if name in wanted}
    else:
        return ()
    return changes_between(installed, wanted) if installed else ()


def changes_between(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """Those that differ, by name."""
    names = sorted({*before, *after})
    pairs = ((name, before.get(name, ""), after.get(name, "")) for name in names)
    return tuple(Change(name, was, will) for name, was, will in pairs if was != will)


def _installed_node_packages(repository: Path) -> dict[str, str]:
    # npm's own list of what it has installed.
    return {
        path: str(entry.get("version", ""))
        for path, entry in _lock(repository / "node_modules/.package-lock.json").items()
        if not entry.get("dev")
    }


def _wanted_node_packages(repository: Path) -> dict[str, str]:
    entries = wanted_entries({"packages": _lock(repository / "package-lock.json")})
    return {path: str(entry.get("version", "")) for path, entry in entries.items()}


def _lock(file: Path) -> dict[str, dict]:
    try:
        packages = json.loads(file.read_text("utf-8")).get("packages", {})
    except (OSError, ValueError, AttributeError):
        return {}
    return {path: entry for path, entry in packages.items() if path}


def _wanted_python_packages(requirements: Path) -> dict[str, str]:
    """Those that every Python and system gets; a few more differ between them."""
    lines = (line.split("#")[0].strip() for line in requirements.read_text("utf-8").splitlines())
    pins = (line.split("==") for line in lines if "==" in line and ";" not in line)
    return {_plain(name): version.strip() for name, version in pins}


def _installed_python_packages(venv: Path) -> dict[str, str]:
    places = [*venv.glob("lib/python*/site-packages"), venv / "Lib" / "site-packages"]
    infos = [info.name[: -len(".dist-info")] for place in places for info in place.glob("*.dist-info")]
    pairs = (info.rpartition("-") for info in infos)
    # The build of torch stands behind a plus; another build is no other version.
    return {_plain(name): version.split("+")[0] for name, _, version in pairs}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
