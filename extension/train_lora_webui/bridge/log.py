"""Lines for the WebUI's console."""

from __future__ import annotations

import sys


def say(sentence: str) -> None:
    """One line in the WebUI's console. Never a secret, a token or a prompt."""
    sys.stderr.write(f"[Train LoRA] {sentence}\n")
    sys.stderr.flush()
