"""The way from the WebUI's port to the server's: bodies stream in both directions, nothing is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from .access import Access
from .failure_response import failure_response
from .proxy_headers import request_headers, response_headers, server_headers
from .server_address import ServerAddress

#: Only a local port: either it answers at once or nobody is there. Answers may take as long as a big upload does.
_TIMEOUT = httpx.Timeout(None, connect=3.0)
STOP_CHECK_SECONDS = 0.2


class HttpProxy:
    """One for each app that gradio makes, because its connections belong to that app's event loop."""

    def __init__(self, stopping: Callable[[], bool]) -> None:
        #: True as soon as "Reload UI" waits for the port: gradio 3 then waits without a limit for every request.
        self._stopping = stopping
        self._client: httpx.AsyncClient | None = None

    async def forward(self, request: Request, target: bytes, address: ServerAddress, access: Access) -> Response:
        """`target` is the raw path and query below the server's root, still encoded as the browser wrote it."""
        headers = request_headers(request.headers.raw) + server_headers(address, access)
        url = httpx.URL(f"http://127.0.0.1:{address.port}/").copy_with(raw_path=target)
        client = self._open_client()
        upstream = client.build_request(request.method, url, headers=headers, content=_body_of(request))
        sending = asyncio.ensure_future(client.send(upstream, stream=True))
        try:
            while not (await asyncio.wait({sending}, timeout=STOP_CHECK_SECONDS))[0]:
                if self._stopping():
                    return failure_response(503, "server_missing", "The WebUI is restarting; try again in a moment.")
            answer = sending.result()
        except httpx.TransportError:
            return missing_server()
        except ClientDisconnect:
            # Nobody is there to read it.
            return Response(status_code=499)
        finally:
            if not sending.done():
                sending.cancel()
        return _streamed(answer, self._stopping)

    def _open_client(self) -> httpx.AsyncClient:
        if self._client is None:
            # Without trust_env a proxy of the environment would be asked for 127.0.0.1.
            limits = httpx.Limits(max_connections=100, max_keepalive_connections=20)
            self._client = httpx.AsyncClient(timeout=_TIMEOUT, limits=limits, trust_env=False, follow_redirects=False)
        return self._client


def missing_server() -> Response:
    return failure_response(503, "server_missing", "The server of Train LoRA does not run; it is started from its tab.")


def _body_of(request: Request) -> AsyncIterator[bytes] | None:
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    return request.stream() if has_body else None


def _streamed(answer: httpx.Response, stopping: Callable[[], bool]) -> Response:
    async def bytes_as_they_come() -> AsyncIterator[bytes]:
        try:
            async for chunk in answer.aiter_raw():
                yield chunk
                if stopping():
                    return
        finally:
            await answer.aclose()

    response = StreamingResponse(bytes_as_they_come(), status_code=answer.status_code)
    response.raw_headers = response_headers(answer.headers.raw, answer.status_code)
    return response
