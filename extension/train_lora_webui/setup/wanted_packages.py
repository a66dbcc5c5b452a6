"""What `npm ci --omit=dev` installs on this machine, out of the lockfile."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from pathlib import Path
from typing import Any

_SYSTEM = {"win32": "win32", "darwin": "darwin"}.get(sys.platform, "linux")
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}


def wanted_entries(lock: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The lockfile's entries by their folder, without those of development and of other systems."""
    machine = _MACHINES.get(platform.machine().lower(), platform.machine())
    return {
        path: entry
        for path, entry in lock.get("packages", {}).items()
        if path
        and not entry.get("dev")
        and _SYSTEM in entry.get("os", [_SYSTEM])
        and machine in entry.get("cpu", [machine])
    }


def hash_of_lock(file: Path) -> str:
    """Of what is installed from it alone: our own number or a tool of development asks for no installation."""
    entries = wanted_entries(json.loads(file.read_text("utf-8")))
    facts = {path: [entry.get(key) for key in ("version", "resolved", "integrity")] for path, entry in entries.items()}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
