"""What the WebUI around us knows about torch: where its builds come from, and what its own one computes on."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Behind the last slash of an address: the name of one build.
_BUILD = re.compile(r"/(cu\d{2,3}|rocm\d+(\.\d+)+|cpu)/?$")
_DEFAULT = re.compile(r"""environ\.get\(\s*["']TORCH_INDEX_URL["']\s*,\s*f?["']([^"'{}]+)["']""")
#: From which the server's own rule takes an index of builds (server/trainer/torch-index.ts).
_NAMING = ("TRAIN_LORA_TORCH_INDEX", "TORCH_INDEX_URL", "TORCH_COMMAND")


def webui_torch() -> dict[str, str]:
    """Variables for our children. Imports nothing and touches no GPU that the WebUI has not touched itself."""
    told = {"TRAIN_LORA_WEBUI_TORCH_INDEX": default_index(_launch_utils()), "TRAIN_LORA_WEBUI_TORCH": works_with()}
    return {name: value for name, value in told.items() if value}


def default_index(launch_utils: str) -> str:
    """The address from which this WebUI takes torch when nobody names another one, out of its own program; or ""."""
    return next((url for url in _DEFAULT.findall(launch_utils) if _BUILD.search(url)), "")


def works_with() -> str:
    """ "cuda 12.1 8.6" (with the capability of each card), "rocm 6.2", "mps", "cpu"; "" where torch is not loaded."""
    torch = sys.modules.get("torch")
    if torch is None:
        return ""
    try:
        return _works_with(torch)
    except Exception:  # noqa: BLE001 - a broken driver raises whatever it likes, and this is only a hint
        return ""


def names_builds(environment: Mapping[str, str]) -> bool:
    """Whether anybody names an index of builds; TORCH_COMMAND may name none, which the set-up finds out in time."""
    return bool(default_index(_launch_utils())) or any(environment.get(name) for name in _NAMING)


def _works_with(torch: Any) -> str:  # noqa: ANN401 - the WebUI's own torch, of any version
    if torch.cuda.is_available():
        hip = getattr(torch.version, "hip", None)
        if hip:
            return f"rocm {hip}"
        count = torch.cuda.device_count() if torch.cuda.is_initialized() else 0
        if any("ZLUDA" in torch.cuda.get_device_name(card) for card in range(count)):
            # An AMD card that is made to look like NVIDIA's, by libraries that our Python lacks.
            return "cpu"
        pairs = [torch.cuda.get_device_capability(card) for card in range(count)]
        return " ".join([f"cuda {torch.version.cuda}", *(f"{major}.{minor}" for major, minor in pairs)])
    mps = getattr(torch.backends, "mps", None)
    return "mps" if mps is not None and mps.is_available() else "cpu"


def _launch_utils() -> str:
    module = sys.modules.get("modules.launch_utils")
    file = getattr(module, "__file__", None)
    paths = sys.modules.get("modules.paths_internal")
    root = getattr(paths, "script_path", None)
    places = [Path(file)] if file else []
    if root:
        places.append(Path(root) / "modules" / "launch_utils.py")
    for place in places:
        try:
            return place.read_text("utf-8", errors="replace")
        except OSError:
            continue
    return ""
