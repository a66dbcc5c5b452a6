"""Takes the WebUI's models off the GPU and puts them back, as each flavour and version wants it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

from .flavour import has_module, on_main_thread
from .log import say

PUT_BACK_SECONDS = 30.0
"""How long putting back is tried: a trainer that was killed needs some seconds until its memory is free."""


@contextlib.contextmanager
def models_off_gpu() -> Iterator[float]:
    """
    Inside, the WebUI's models are off the GPU; yields the megabytes that became free (0 without CUDA). They are put
    back on every way out, also when taking them off failed half way. Needs the WebUI's queue. Raises what the WebUI
    raises.
    """
    before = _free_mb()
    _wait_for_first_load()
    try:
        on_main_thread(_take_off)
        yield max(0.0, _free_mb() - before)
    finally:
        _put_back()


def _wait_for_first_load(seconds: float = 300) -> None:
    """At start the WebUI loads its model in a thread that takes no turn in the queue; half a model can't be moved."""
    from modules import sd_models

    lock = getattr(sd_models.model_data, "lock", None)
    if lock is not None and lock.acquire(timeout=seconds):
        lock.release()


def _take_off() -> None:
    _forget_loras()
    manager = _memory_manager()
    if manager is not None:
        manager.unload_all_models()
        manager.soft_empty_cache()
        return
    from modules import devices, sd_models

    if not hasattr(sd_models, "send_model_to_device"):
        sd_models.unload_model_weights()
        return
    for model in _loaded_models():
        sd_models.send_model_to_cpu(model)
    devices.torch_gc()


def _put_back() -> None:
    deadline = time.monotonic() + PUT_BACK_SECONDS
    while True:
        try:
            on_main_thread(_put_back_once)
            return
        except Exception as thrown:
            if time.monotonic() >= deadline:
                _leave_to_next_picture()
                say(f"the model could not be put back on the GPU ({thrown}); the next picture tries again")
                return
        time.sleep(1)


def _put_back_once() -> None:
    if _memory_manager() is not None:
        return
    from modules import sd_models

    model = sd_models.model_data.sd_model
    if hasattr(sd_models, "send_model_to_device"):
        if model is not None:
            sd_models.send_model_to_device(model)
    elif model is None and getattr(sd_models.model_data, "was_loaded_at_least_once", True):
        sd_models.reload_model_weights()


def _leave_to_next_picture() -> None:
    """A model half on the GPU fails at each picture; one that counts as not in use is moved whole before the next."""
    from modules import sd_models

    if hasattr(sd_models, "send_model_to_device") and getattr(sd_models.model_data, "loaded_sd_models", None):
        sd_models.model_data.sd_model = None


def _loaded_models() -> list[Any]:
    """Never through `shared.sd_model`: asking for that one loads a model that isn't there yet."""
    from modules import sd_models

    kept = list(getattr(sd_models.model_data, "loaded_sd_models", []))
    present = sd_models.model_data.sd_model
    return kept if present is None or any(model is present for model in kept) else [present, *kept]


def _memory_manager() -> Any:
    """Forge's and its kin's owner of the GPU's memory, which loads by itself what a picture needs; None on A1111."""
    if not has_module("modules_forge"):
        return None
    if has_module("backend.memory_management"):
        from backend import memory_management

        return memory_management
    if has_module("ldm_patched.modules.model_management"):
        from ldm_patched.modules import model_management

        return model_management
    return None


def _forget_loras() -> None:
    """LoRAs of the last picture stay on the GPU; the WebUI reads them again when a prompt names them."""
    networks = sys.modules.get("networks")
    for name in ("networks_in_memory", "loaded_networks"):
        kept = getattr(networks, name, None)
        if kept is not None:
            kept.clear()
    cached = getattr(getattr(networks, "load_lora_state_dict", None), "cache_clear", None)
    if cached is not None:
        cached()


def _free_mb() -> float:
    torch = sys.modules.get("torch")
    try:
        if torch is None or not torch.cuda.is_available():
            return 0.0
        return float(torch.cuda.mem_get_info()[0]) / 2**20
    except Exception:
        return 0.0
