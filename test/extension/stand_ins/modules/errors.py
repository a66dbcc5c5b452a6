from __future__ import annotations

import sys
import traceback


def report(message: str, *, exc_info: bool = False) -> None:
    sys.stderr.write(f"*** {message}\n")
    if exc_info:
        sys.stderr.write(traceback.format_exc())
