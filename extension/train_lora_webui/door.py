"""Every request to `/train-lora/…` comes through here before anything else is done with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from .access import READING, Access, Caller, Policy, Refusal, Secrets, judge, login_user
from .failure_response import failure_response
from .ui_token import ui_secrets

Endpoint = Callable[[Request, Access], Awaitable[Response]]

RESTRICTED = Refusal(
    403,
    "restricted",
    "This WebUI is open to others without a login, so that here one may look but not change anything. Start the WebUI "
    "with --gradio-auth, or with --train-lora-allow-remote if everybody who reaches it may train and delete.",
)


class Door:
    """Knows how this WebUI was started and who has logged in; `policy` is asked each time, as settings change."""

    def __init__(self, app: Any, policy: Callable[[], Policy]) -> None:
        self._app = app
        self._policy = policy

    def judge(self, connection: HTTPConnection) -> Access | Refusal:
        """The verdict on a request or a WebSocket."""
        cookies = connection.cookies
        tokens = getattr(self._app, "tokens", None) or {}
        caller = Caller(
            # A WebSocket has no method.
            method=connection.scope.get("method", "GET"),
            headers=connection.headers,
            cookies=cookies,
            socket=connection.scope["type"] == "websocket",
            user=login_user(cookies, tokens, getattr(self._app, "cookie_id", None)),
        )
        return judge(caller, self._policy(), secrets_of(connection))

    def guarded(self, endpoint: Endpoint, changes: bool = True) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint for those who may look. Methods other than GET want full access, unless they change nothing."""

        async def answer(request: Request) -> Response:
            verdict = self._judge_method(request) if changes else self.judge(request)
            if isinstance(verdict, Refusal):
                return failure_response(verdict.status, verdict.code, verdict.message)
            return await endpoint(request, verdict)

        return answer

    def guard(self, request: Request) -> Access:
        """The same as a FastAPI dependency, for routes that others add."""
        verdict = self._judge_method(request)
        if isinstance(verdict, Refusal):
            raise HTTPException(verdict.status, {"code": verdict.code, "message": verdict.message})  # type: ignore[arg-type]
        return verdict

    def _judge_method(self, request: Request) -> Access | Refusal:
        verdict = self.judge(request)
        if isinstance(verdict, Access) and verdict.level != "full" and request.method not in READING:
            return RESTRICTED
        return verdict


def secrets_of(connection: HTTPConnection) -> Secrets:
    server = connection.scope.get("server")
    return ui_secrets(int(server[1]) if server and server[1] else 0)
