"""The log of our sockets to the server."""

from __future__ import annotations

import logging

_log = logging.getLogger("train_lora_webui.socket")


def socket_log() -> logging.Logger:
    """
    For the websockets library, whose own log tells each header and frame at level DEBUG: with `--loglevel DEBUG` the
    server's secret would stand in the WebUI's console.
    """
    _log.setLevel(logging.WARNING)
    return _log
