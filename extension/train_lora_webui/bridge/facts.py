"""What the server is told about the WebUI in `hello` (HostFacts of the protocol)."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

from .axes import has_axes
from .flavour import has_module, webui_flavour, webui_version
from .loras import lora_extension
from .queue_turn import has_queue

TOLD_FLAGS = (
    "api", "api_auth", "ckpt_dir", "device_id", "disable_nan_check", "freeze_settings", "gradio_auth",
    "gradio_auth_path", "hide_ui_dir_config", "listen", "lowram", "lowvram", "medvram", "medvram_sdxl",
    "ngrok", "no_gradio_queue", "no_half", "no_half_vae", "nowebui", "server_name", "share",
    "skip_load_model_at_start", "subpath", "tls_certfile", "use_cpu", "xformers",
)  # fmt: skip


def host_facts() -> dict[str, Any]:
    """
    HostFacts. Quick, but touches the disk: call it in a worker thread. Never raises for a part that this WebUI lacks.
    """
    from modules import shared

    return {
        "flavour": webui_flavour(),
        "version": webui_version(),
        "gradioVersion": _gradio_version(),
        "pythonVersion": platform.python_version(),
        "pid": os.getpid(),
        "dataDir": _absolute(_data_dir()),
        "loraDir": str(lora_dir()),
        "checkpointDirs": checkpoint_dirs(),
        "flags": given_flags(shared.cmd_opts),
        "samplers": sampler_names(),
        "schedulers": scheduler_labels(),
        "can": {
            "useLoras": lora_extension() is not None,
            "xyzAxes": has_axes(),
            "pasteText": _can_paste(shared.cmd_opts),
            "leaseGpu": has_queue() and has_module("modules.sd_models"),
            "renderCells": has_queue() and has_module("modules.processing"),
        },
    }


def lora_dir() -> Path:
    """
    The folder from which this WebUI reads LoRAs, absolute; the models folder's `Lora` where the option is missing.
    """
    from modules import shared

    given = getattr(shared.cmd_opts, "lora_dir", None)
    return Path(_absolute(given or Path(_models_dir()) / "Lora"))


def checkpoint_dirs() -> list[str]:
    """Absolute, the given ones first, each once."""
    from modules import shared

    several = getattr(shared.cmd_opts, "ckpt_dirs", None) or []
    given = [getattr(shared.cmd_opts, "ckpt_dir", None), *several, Path(_models_dir()) / "Stable-diffusion"]
    return list(dict.fromkeys(_absolute(folder) for folder in given if folder))


def given_flags(options: Any) -> list[str]:
    """Names of the options that matter to us and are on, as they are typed; their values may be secrets."""
    given = vars(options) if hasattr(options, "__dict__") else {}
    return [f"--{name.replace('_', '-')}" for name in TOLD_FLAGS if given.get(name)]


def sampler_names() -> list[str]:
    """Labels that txt2img shows, in its order."""
    try:
        from modules import sd_samplers

        visible = getattr(sd_samplers, "visible_sampler_names", None)
        return [str(name) for name in (visible() if visible else [sampler.name for sampler in sd_samplers.samplers])]
    except (ImportError, AttributeError):
        return []


def scheduler_labels() -> list[str]:
    """Empty before 1.9, where the schedule is a part of the sampler's name."""
    try:
        from modules import sd_schedulers

        return [str(scheduler.label) for scheduler in sd_schedulers.schedulers]
    except (ImportError, AttributeError):
        return []


def _can_paste(options: Any) -> bool:
    module = has_module("modules.infotext_utils") or has_module("modules.generation_parameters_copypaste")
    return module and not getattr(options, "nowebui", False)


def _gradio_version() -> str:
    loaded = getattr(sys.modules.get("gradio"), "__version__", None)
    try:
        return str(loaded or importlib.metadata.version("gradio"))
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _data_dir() -> str:
    from modules import paths

    return str(paths.data_path)


def _models_dir() -> str:
    from modules import paths

    return str(paths.models_path)


def _absolute(folder: Any) -> str:
    return str(Path(os.path.abspath(str(folder))))
