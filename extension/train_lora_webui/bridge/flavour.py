"""Which WebUI this is, told by the modules that are there."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any, Callable, TypeVar

Result = TypeVar("Result")


def webui_flavour() -> str:
    """`a1111`, `forge`, `reforge`, `forgeClassic` or `unknown` (WebuiFlavour of the protocol)."""
    if not has_module("modules"):
        return "unknown"
    if not has_module("modules_forge"):
        return "a1111"
    version = webui_version()
    if version.startswith(("classic", "neo")) or "lib_xyz" in sys.modules:
        return "forgeClassic"
    if has_module("backend.memory_management") or version.startswith(("f0", "f2")):
        return "forge"
    return "reforge"


def webui_version() -> str:
    """The WebUI's own name of its version, for example `v1.10.1`; `unknown` where it has none."""
    try:
        from modules import launch_utils

        return str(launch_utils.git_tag())
    except Exception:
        return "unknown"


def has_module(name: str) -> bool:
    """True when the module is loaded or could be; nothing is imported but its parents."""
    if name in sys.modules:
        return True
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def on_main_thread(work: Callable[[], Result]) -> Result:
    """
    Runs what touches models where this WebUI wants it: Forge and its kin move models on their main thread only.
    Whatever `work` raises is raised here: their runner would swallow it, and some builds would lose the thread by it.
    """
    if not has_module("modules_forge.main_thread"):
        return work()
    from modules_forge import main_thread

    outcome: dict[str, Any] = {}

    def kept() -> None:
        try:
            outcome["value"] = work()
        except BaseException as thrown:
            outcome["thrown"] = thrown

    main_thread.run_and_wait_result(kept)
    if "thrown" in outcome:
        raise outcome["thrown"]
    return outcome["value"]
