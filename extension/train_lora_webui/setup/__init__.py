"""Brings Node, the server's packages, the build and the trainer's Python, without touching the WebUI's environment."""

from __future__ import annotations

from .current import cancel, configure, is_ready, log_since, node_path, start, state, wait
from .routes import routes

__all__ = ["cancel", "configure", "is_ready", "log_since", "node_path", "routes", "start", "state", "wait"]
