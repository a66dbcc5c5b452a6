"""Makes new LoRA files known to the WebUI's cards and dropdowns."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from .failure import Failure

_scanning = threading.Lock()
_last_full_scan = float("-inf")


def lora_extension() -> Any:
    """
    The `networks` module of the WebUI's Lora extension; None when it is switched off. Never imports another's
    `networks`.
    """
    module = sys.modules.get("networks")
    return module if hasattr(module, "available_networks") and hasattr(module, "list_available_networks") else None


def refresh_loras(names: list[str]) -> list[str]:
    """
    Makes `names` (no extension) known and returns those that the WebUI still does not list. Only the named files are
    read where the WebUI can do that (1.10, Forge, reForge); a whole scan empties the list for a moment, which would
    fail a picture that is being drawn, so requests that come during one share the next. Raises Failure
    `webui_missing`.
    """
    networks = lora_extension()
    if networks is None:
        raise Failure(
            "webui_missing",
            "The WebUI's own Lora extension is switched off, so no prompt can use a LoRA. "
            "Switch on Lora in its Extensions tab and restart the WebUI; the files are in place.",
        )
    arrived = time.monotonic()
    with _scanning:
        unknown = [name for name in names if name not in networks.available_networks]
        if unknown and hasattr(networks, "update_available_networks_by_names"):
            networks.update_available_networks_by_names(unknown)
        elif unknown:
            _scan_all(networks, arrived)
    missing = [name for name in names if name not in networks.available_networks]
    hidden = _hidden_folder() if missing else None
    if hidden is not None:
        raise Failure(
            "webui_failed",
            f"The WebUI does not look into hidden folders, and its LoRA folder is one ({hidden}). Switch on "
            '"Load models/files in hidden directories" in Settings, Extra Networks or System, and refresh.',
        )
    return missing


def _scan_all(networks: Any, arrived: float) -> None:
    global _last_full_scan
    if _last_full_scan > arrived:
        return
    started = time.monotonic()
    networks.list_available_networks()
    _last_full_scan = started


def _hidden_folder() -> str | None:
    """The LoRA folder when a part of its path is hidden and the WebUI skips hidden ones (shared.walk_files)."""
    from modules import shared

    folder = str(getattr(shared.cmd_opts, "lora_dir", ""))
    skips = not getattr(shared.opts, "list_hidden_files", True)
    return folder if skips and ("/." in folder or "\\." in folder) else None
