"""Everything below `/train-lora/` on the WebUI's own port."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.websockets import WebSocket

from .access import TOKEN_HEADER, Access, Refusal
from .door import Door, secrets_of
from .failure_response import failure_response
from .proxy import HttpProxy, missing_server
from .server_address import ServerAddress
from .socket_proxy import join_sockets

PREFIX = "/train-lora"
_ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
#: The server's own way in for browsers, and its off switch: here the WebUI's login and the token take their place.
_NOT_FOR_PAGES = re.compile(r"/api/(session|codes|shutdown)(/|$)", re.IGNORECASE)


class Routes:
    """The routes of one app. `status`: what a page may know before it loads anything; `start`: brings up the server."""

    def __init__(
        self,
        door: Door,
        proxy: HttpProxy,
        address: Callable[[], ServerAddress | None],
        status: Callable[[Access], Awaitable[dict[str, Any]]],
        start: Callable[[], None],
        panel: Path,
    ) -> None:
        self._door, self._proxy = door, proxy
        self._address, self._status, self._start, self._panel = address, status, start, panel

    def add_to(self, app: Any) -> None:
        """Adds the routes, once to each app; gradio makes a new one at each "Reload UI"."""
        router = app.router
        if any(getattr(route, "path", "") == f"{PREFIX}/status" for route in router.routes):
            return
        for path, endpoint, methods in (
            ("/session", self._open_session, ["POST"]),
            ("/status", self._tell_status, ["GET"]),
            ("/start", self._start_server, ["POST"]),
            ("/panel/{file}", self._send_panel, ["GET"]),
            ("/ui/{path:path}", self._forward_page, ["GET", "HEAD"]),
            ("/api/{path:path}", self._forward_api, _ALL_METHODS),
            ("/ws", self._miss_upgrade, ["GET"]),
        ):
            guarded = self._door.guarded(endpoint, changes=path != "/session")
            router.add_route(f"{PREFIX}{path}", guarded, methods=methods, include_in_schema=False)
        router.add_websocket_route(f"{PREFIX}/ws", self._join_socket)

    async def _open_session(self, request: Request, _access: Access) -> Response:
        """Trades the token for a cookie, as a picture's address can carry no header."""
        secrets = secrets_of(request)
        if TOKEN_HEADER not in request.headers:
            return failure_response(401, "unauthorized", f"Expected the page's token in the header {TOKEN_HEADER}.")
        response = Response(status_code=204)
        response.set_cookie(
            secrets.cookie_name,
            secrets.cookie_value,
            # Without a path the browser takes the folder of this address, whatever a proxy in front has put before it.
            path=None,  # type: ignore[arg-type]
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    async def _tell_status(self, _request: Request, access: Access) -> Response:
        return JSONResponse(await self._status(access), headers={"Cache-Control": "no-store"})

    async def _start_server(self, _request: Request, access: Access) -> Response:
        self._start()
        return JSONResponse(await self._status(access), headers={"Cache-Control": "no-store"})

    async def _send_panel(self, request: Request, _access: Access) -> Response:
        name = request.path_params["file"]
        file = self._panel / name
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) or not file.is_file():
            return failure_response(404, "not_found", "There is no such file.")
        kind = "text/javascript" if file.suffix in (".js", ".mjs") else mimetypes.guess_type(name)[0]
        return FileResponse(file, media_type=kind, headers={"Cache-Control": "no-cache"})

    async def _forward_page(self, request: Request, access: Access) -> Response:
        return await self._forward(request, access, _target(request, f"{PREFIX}/ui"))

    async def _forward_api(self, request: Request, access: Access) -> Response:
        return await self._forward(request, access, _target(request, PREFIX))

    async def _forward(self, request: Request, access: Access, target: bytes | None) -> Response:
        path = request.scope["path"].split(PREFIX, 1)[1]
        dotted = any(part in (".", "..") for part in path.replace("\\", "/").split("/"))
        if target is None or dotted or _NOT_FOR_PAGES.search(path):
            return failure_response(404, "not_found", "There is nothing at this address.")
        address = self._address()
        return missing_server() if address is None else await self._proxy.forward(request, target, address, access)

    async def _miss_upgrade(self, _request: Request, _access: Access) -> Response:
        """A WebSocket that arrives as a plain request; the page asks the same way to find out why it gets none."""
        failure = failure_response(
            426,
            "bad_request",
            "Expected a WebSocket, but this is a plain request: a proxy in front of the WebUI has to pass on the "
            "headers Upgrade and Connection.",
        )
        failure.headers["Upgrade"] = "websocket"
        return failure

    async def _join_socket(self, socket: WebSocket) -> None:
        verdict = self._door.judge(socket)
        if isinstance(verdict, Refusal):
            # Before it is accepted, this is a plain HTTP 403.
            await socket.close(1008)
            return
        await join_sockets(socket, "/ws", self._address(), verdict)


def _target(request: HTTPConnection, prefix: str) -> bytes | None:
    """The address below `prefix` as the browser wrote it, `%2F` in a name stays one; None if it is disguised."""
    raw = request.scope.get("raw_path") or quote(request.scope["path"]).encode("ascii")
    _before, found, path = raw.split(b"?", 1)[0].partition(prefix.encode("ascii"))
    query = request.scope.get("query_string", b"")
    return path + (b"?" + query if query else b"") if found else None
