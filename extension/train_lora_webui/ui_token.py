"""What a page of this WebUI proves itself with. Made once in the life of the WebUI's process."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from .access import Secrets

_token = secrets.token_urlsafe(32)


def ui_token() -> str:
    """Given to the page inside the tab's gradio config only, which gradio sends after the login."""
    return _token


def ui_secrets(port: int) -> Secrets:
    """The token, and the cookie for pictures. `port` is the WebUI's: a browser shares cookies among a host's ports."""
    value = hmac.new(_token.encode(), b"session cookie", hashlib.sha256).hexdigest()
    return Secrets(token=_token, cookie_name=f"train-lora-webui-{port}", cookie_value=value)
