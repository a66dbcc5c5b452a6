from __future__ import annotations

current_basedir = ""


def basedir() -> str:
    """Right only while a script's file is being executed, as in the WebUI."""
    return current_basedir
