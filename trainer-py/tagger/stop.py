"""The wish to stop: a line {"type": "stop"} on stdin, or a stdin that closes because the server is gone."""

import os
import threading


def listen_for_stop() -> threading.Event:
    """Set from the moment when somebody wants an end; looked at between two batches."""
    wanted = threading.Event()
    threading.Thread(target=_read, args=(wanted,), name="stop", daemon=True).start()
    return wanted


def _read(wanted: threading.Event) -> None:
    # os.read and not sys.stdin: a buffered reader that is blocked in a thread aborts Python's exit.
    seen = b""
    while b'"stop"' not in seen:
        try:
            chunk = os.read(0, 4096)
        except OSError:
            chunk = b""
        if not chunk:
            break
        seen = (seen + chunk)[-8192:]
    wanted.set()
