"""The environment of our own server: the WebUI's, without what is meant for the WebUI's Python alone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_WEBUI_ONLY = frozenset(
    {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "COMMANDLINE_ARGS"}
    | {"LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "NODE_OPTIONS"}
)


def child_environment(parent: Mapping[str, str], device_id: str | None = None) -> dict[str, str]:
    """A copy of `parent` for our children. `device_id` is the WebUI's `--device-id`: training uses the same GPU."""
    kept = {name: value for name, value in parent.items() if not _is_webui_only(name.upper())}
    for name in ("TMP", "TEMP", "TMPDIR"):
        # A relative one means the WebUI's folder, and our children stand in another.
        if name in kept and not Path(kept[name]).is_absolute():
            kept[name] = str(Path(kept[name]).resolve())
    kept["PYTHONUTF8"] = "1"
    if device_id not in (None, ""):
        kept["CUDA_VISIBLE_DEVICES"] = _visible_device(kept.get("CUDA_VISIBLE_DEVICES", ""), str(device_id))
    return kept


def own_environment(device_id: str | None = None) -> dict[str, str]:
    return child_environment(os.environ, device_id)


def _is_webui_only(name: str) -> bool:
    return name in _WEBUI_ONLY or name.startswith("SD_WEBUI_")


def _visible_device(visible: str, device_id: str) -> str:
    """`device_id` counts among the devices that are visible already; one that is not there changes nothing."""
    devices = [part.strip() for part in visible.split(",") if part.strip()]
    if not devices:
        return device_id
    at = int(device_id) if device_id.isdigit() else len(devices)
    return devices[at] if at < len(devices) else visible
