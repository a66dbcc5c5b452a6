"""Brings Node, the server's packages, the build and the trainer's Python, without touching the WebUI's environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .current import (
    cancel,
    configure,
    is_ready,
    log_since,
    node_path,
    open_without_trainer,
    start,
    state,
    trainer_is_ready,
    wait,
)

__all__ = [
    "cancel",
    "configure",
    "is_ready",
    "log_since",
    "node_path",
    "open_without_trainer",
    "routes",
    "start",
    "state",
    "trainer_is_ready",
    "wait",
]


def routes(app: Any, prefix: str, guard: Callable[..., Any]) -> None:
    """Adds GET `<prefix>/setup`, POST `<prefix>/setup/start`, `…/cancel` and `…/open` (see setup_routes.py)."""
    from .setup_routes import add_setup_routes

    add_setup_routes(app, prefix, guard)
