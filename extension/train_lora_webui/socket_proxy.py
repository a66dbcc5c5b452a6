"""One WebSocket from a page to the server. It ends as soon as either side does: "Reload UI" waits for open sockets."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import websockets
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from .access import Access, accepted_protocol
from .proxy_headers import server_headers
from .server_address import ServerAddress
from .socket_log import socket_log

CONNECT_SECONDS = 5.0
PING_SECONDS = 20.0
#: As much as the WebUI's own server lets in.
MAX_BYTES = 16 * 1024 * 1024
#: "Try again later": there is no server now, or it has left.
TRY_AGAIN = 1013


async def join_sockets(page: WebSocket, path: str, address: ServerAddress | None, access: Access) -> None:
    """`page` has passed all checks and is not accepted yet."""
    await page.accept(subprotocol=accepted_protocol(page.headers))
    if address is None:
        return await page.close(TRY_AGAIN)
    try:
        server = await asyncio.wait_for(_connect(path, address, access), CONNECT_SECONDS)
    except (OSError, asyncio.TimeoutError, websockets.WebSocketException):
        return await page.close(TRY_AGAIN)
    try:
        await _until_one_ends(page, server)
    finally:
        await _close_both(page, server)


def _connect(path: str, address: ServerAddress, access: Access) -> Any:
    major = int(websockets.__version__.split(".")[0])
    headers = server_headers(address, access)
    options: dict[str, Any] = {"extra_headers" if major < 14 else "additional_headers": headers}
    if major >= 15:
        # From this version on it would ask a proxy of the environment for 127.0.0.1.
        options["proxy"] = None
    return websockets.connect(
        f"ws://127.0.0.1:{address.port}{path}",
        open_timeout=CONNECT_SECONDS,
        close_timeout=0.2,
        ping_interval=PING_SECONDS,
        ping_timeout=PING_SECONDS,
        max_size=MAX_BYTES,
        compression=None,
        logger=socket_log(),
        **options,
    )


async def _until_one_ends(page: WebSocket, server: Any) -> None:
    directions = {
        asyncio.ensure_future(_page_to_server(page, server)),
        asyncio.ensure_future(_server_to_page(page, server)),
    }
    try:
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for direction in directions:
            direction.cancel()
        await asyncio.gather(*directions, return_exceptions=True)


async def _page_to_server(page: WebSocket, server: Any) -> None:
    with contextlib.suppress(websockets.ConnectionClosed, WebSocketDisconnect):
        while True:
            message = await page.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            await server.send(text if text is not None else message["bytes"])


async def _server_to_page(page: WebSocket, server: Any) -> None:
    with contextlib.suppress(websockets.ConnectionClosed, WebSocketDisconnect, RuntimeError):
        async for message in server:
            await (page.send_text(message) if isinstance(message, str) else page.send_bytes(message))


async def _close_both(page: WebSocket, server: Any) -> None:
    with contextlib.suppress(Exception):
        await server.close()
    if page.client_state == WebSocketState.CONNECTED and page.application_state == WebSocketState.CONNECTED:
        with contextlib.suppress(Exception):
            await page.close(TRY_AGAIN)
