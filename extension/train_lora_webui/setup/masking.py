"""Keeps passwords of proxies and registries out of the log."""

from __future__ import annotations

import re

_IN_ADDRESS = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s'\"<>]*@")
_BEHIND_NAME = re.compile(
    r"(?i)(\bauthorization\s*[:=]\s*(?:basic\s+|bearer\s+)?|\bbearer\s+|_auth(?:token)?\s*[=:]\s*|_password\s*[=:]\s*)[^\s'\",;]+"
)
_IN_QUERY = re.compile(r"(?i)([?&](?:token|password|secret|api_?key|access_token)=)[^&\s'\"]+")


def mask_secrets(line: str) -> str:
    """`line` with `***` for the user and password of an address, for tokens and for passwords."""
    masked = _IN_ADDRESS.sub(r"\1***@", line)
    masked = _BEHIND_NAME.sub(r"\1***", masked)
    return _IN_QUERY.sub(r"\1***", masked)
