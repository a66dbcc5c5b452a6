"""The WebUI's callbacks: what one raises is reported and swallowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modules import errors

callbacks: dict[str, list[Callable[..., Any]]] = {}


def clear() -> None:
    callbacks.clear()


def call(name: str, *args: Any) -> list[Any]:  # noqa: ANN401
    results = []
    for callback in callbacks.get(name, []):
        try:
            results.append(callback(*args))
        except Exception:
            errors.report(f"Error executing callback {name}", exc_info=True)
    return results


def _registration(name: str) -> Callable[[Callable[..., Any]], None]:
    def register(callback: Callable[..., Any]) -> None:
        callbacks.setdefault(name, []).append(callback)

    return register


on_before_ui = _registration("before_ui")
on_ui_settings = _registration("ui_settings")
on_ui_tabs = _registration("ui_tabs")
on_app_started = _registration("app_started")
on_model_loaded = _registration("model_loaded")
on_before_reload = _registration("before_reload")
on_script_unloaded = _registration("script_unloaded")
