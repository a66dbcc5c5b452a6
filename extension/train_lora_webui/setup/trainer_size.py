"""What the trainer will take on this machine, so that no download surprises. The server chooses for real."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

#: Measured for cpu; the others are the sums of what torch's packages of that kind unpack to, rounded up.
_MEGABYTES = {"cuda": 7000, "rocm": 16000, "mps": 1200, "cpu": 1500}


def trainer_size() -> tuple[str, int]:
    """The kind of torch (cuda, rocm, mps, cpu) and megabytes on the disk, about."""
    kind = _kind()
    return kind, _MEGABYTES[kind]


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
    if shutil.which("nvidia-smi") or (os.name != "nt" and Path("/proc/driver/nvidia/version").exists()):
        return "cuda"
    return "rocm" if sys.platform == "linux" and (shutil.which("rocminfo") or Path("/opt/rocm").is_dir()) else "cpu"
