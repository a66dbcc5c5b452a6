"""What the trainer takes on this machine and how much of it is there. The server chooses and installs for real."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

from .webui_torch import names_builds, works_with

#: Measured for cpu; the others are the sums of what torch's packages of that kind unpack to, rounded up.
_MEGABYTES = {"cuda": 7000, "rocm": 16000, "mps": 1200, "cpu": 1500}


def trainer_size() -> tuple[str, int]:
    """The kind of torch (cuda, rocm, mps, cpu) that will come, and megabytes on the disk, about."""
    kind = _kind()
    if not names_builds(os.environ):
        # The usual index has one build for each system, whatever the machine could use.
        kind = {"linux": "cuda", "win32": "cpu"}.get(sys.platform, kind)
    return kind, _MEGABYTES[kind]


def installed_part(home: Path, requirements: Path) -> float:
    """0–1: how many of the wanted packages lie in the new venv. pip installs for minutes without a word."""
    try:
        lines = requirements.read_text("utf-8").splitlines()
    except OSError:
        return 0.0
    wanted = sum(1 for line in lines if "==" in line and " ; " not in line and not line.startswith("torch=="))
    venv = home / "venv-trainer"
    places = [*venv.glob("lib/python*/site-packages"), venv / "Lib" / "site-packages"]
    there = [found.name for place in places for found in place.glob("*.dist-info")]
    torch = any(name.startswith("torch-") for name in there)
    others = min(1.0, (len(there) - torch) / wanted) if wanted else 1.0
    # Unpacking torch takes as long as all the others together.
    return (others + torch) / 2 if there else 0.0


def free_megabytes(folder: Path) -> int | None:
    """Room on the disk where `folder` is or will be."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free // 1_000_000
        except OSError:
            continue
    return None


def _kind() -> str:
    if sys.platform == "darwin":
        return "mps" if platform.machine() == "arm64" else "cpu"
    if (
        works_with().startswith("cuda")
        or shutil.which("nvidia-smi")
        or (os.name != "nt" and Path("/proc/driver/nvidia/version").exists())
    ):
        return "cuda"
    is_amd = (
        works_with().startswith("rocm") or shutil.which("rocminfo") or Path("/opt/rocm").is_dir() or _has_amd_card()
    )
    return "rocm" if sys.platform == "linux" and is_amd else "cpu"


def _has_amd_card() -> bool:
    """The kernel lists processors and cards alike; a graphics unit inside a processor counts cores of both kinds."""
    for file in Path("/sys/class/kfd/kfd/topology/nodes").glob("*/properties"):
        try:
            lines = file.read_text("utf-8").splitlines()
        except (OSError, ValueError):
            continue
        facts = dict(line.split(" ", 1) for line in lines if " " in line)
        if facts.get("cpu_cores_count") == "0" and facts.get("gfx_target_version", "0") != "0":
            return True
    return False
