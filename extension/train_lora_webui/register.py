"""The WebUI's callbacks; none of them raises.

"Reload UI" needs none of its own: it closes the port, and with it our pages' sockets. The server, its training and the
host's own connection stay as they are.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .tab import make_tab
from .webui_settings import add_settings


def register(basedir: str) -> None:
    """Called by scripts/train_lora.py each time the WebUI executes it: at its start and at each "Reload UI"."""
    from modules import script_callbacks

    repository = Path(basedir).absolute()
    script_callbacks.on_before_ui(_reported(_add_axes))
    script_callbacks.on_ui_settings(_reported(add_settings))
    script_callbacks.on_ui_tabs(make_tab)
    script_callbacks.on_app_started(_reported(functools.partial(_attach, repository)))
    script_callbacks.on_model_loaded(_reported(_tell_model))


def _add_axes() -> None:
    from . import bridge

    bridge.register_axes()


def _attach(repository: Path, demo: Any, app: Any) -> None:
    from . import bridge
    from .shim import the_shim

    shim = the_shim(repository)
    shim.attach(app, demo)
    bridge.start(shim.server_address)
    if shim.flags.autostart:
        shim.start_server()


def _tell_model(_model: Any) -> None:
    from . import bridge

    bridge.model_loaded()


def _reported(callback: Callable[..., None]) -> Callable[..., None]:
    """Ours may fail without taking the WebUI's start along; the console says why."""

    @functools.wraps(callback)
    def run(*args: Any) -> None:
        try:
            callback(*args)
        except Exception:
            from modules import errors

            errors.report("[Train LoRA] a callback failed", exc_info=True)

    return run
