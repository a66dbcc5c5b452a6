"""Node's side of `/host` on a real socket, in a thread of its own; every message is checked by protocol/schema.json."""
# ruff: noqa: ANN401

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import jsonschema
import websockets

SCHEMA = json.loads((Path(__file__).resolve().parents[3] / "protocol" / "schema.json").read_text("utf8"))


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]})


MESSAGE, REQUEST = validator("HostMessage"), validator("HostRequest")


class Refused(Exception):
    """A refusal; `failure` is the protocol's Failure."""

    def __init__(self, failure: dict[str, str]) -> None:
        super().__init__(failure["message"])
        self.failure = failure


class NodeSide:
    def __init__(self, port: int = 0) -> None:
        self.secret = "a-secret"
        self.port = port
        self.messages = []
        self.invalid = []
        self.headers = []
        self.connections = 0
        self._changed = threading.Condition()
        self._last_id = 0
        self._socket = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> NodeSide:
        self._thread.start()
        self.open()
        return self

    def __exit__(self, *_thrown: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        assert self.invalid == []

    def open(self) -> None:
        """Listens; on the same port as before, if it has listened before."""
        self._server = self._run(self._listen())
        self.port = self._server.sockets[0].getsockname()[1]

    def kill(self) -> None:
        """As `kill -9` does: the socket is gone without a goodbye, and nobody listens any more."""
        self._run(self._close())

    def send(self, kind: str, **fields: Any) -> int:
        self._last_id += 1
        request = {"id": self._last_id, "type": kind, **fields}
        REQUEST.validate(request)
        self._run(self._socket.send(json.dumps(request)))
        return self._last_id

    def send_raw(self, text: str) -> None:
        self._run(self._socket.send(text))

    def request(self, kind: str, seconds: float = 10, **fields: Any) -> Any:
        return self.result(self.send(kind, **fields), seconds)

    def result(self, identity: int, seconds: float = 10) -> Any:
        message = self.wait_for(lambda m: m["type"] in ("answer", "refusal") and m["id"] == identity, seconds)
        if message["type"] == "refusal":
            raise Refused(message["failure"])
        return message["value"]

    def wait_for(
        self, wanted: str | Callable[[dict[str, Any]], bool], seconds: float = 10, after: int = 0
    ) -> dict[str, Any]:
        """The first message, from place `after` on, of this type or for which this holds."""
        holds = wanted if callable(wanted) else lambda message: message["type"] == wanted
        found = []

        def look() -> list[dict[str, Any]]:
            found[:] = [message for message in self.messages[after:] if holds(message)]
            return found

        with self._changed:
            assert self._changed.wait_for(look, seconds), f"no {wanted} within {seconds} s; came: {self.messages}"
        return found[0]

    def wait_for_connection(self, count: int, seconds: float = 10) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.connections >= count, seconds)

    async def _listen(self) -> Any:
        return await websockets.serve(self._serve, "127.0.0.1", self.port, ping_interval=None)

    async def _serve(self, socket: Any, _path: Any = None) -> None:
        headers = getattr(socket, "request_headers", None) or socket.request.headers
        path = getattr(socket, "path", None) or socket.request.path
        self.headers.append(dict(headers))
        if path != "/host" or headers.get("Authorization") != f"Bearer {self.secret}":
            await socket.close(4401, "who is there?")
            return
        self._socket = socket
        with self._changed:
            self.connections += 1
            self._changed.notify_all()
        try:
            async for text in socket:
                self._heard(json.loads(text))
        except websockets.ConnectionClosed:
            pass

    def _heard(self, message: dict[str, Any]) -> None:
        with self._changed:
            if not MESSAGE.is_valid(message):
                self.invalid.append(message)
            self.messages.append(message)
            self._changed.notify_all()

    async def _close(self) -> None:
        if self._socket is not None:
            self._socket.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


def until(holds: Callable[[], Any], seconds: float = 5) -> None:
    """Waits until `holds()`; a test that waits for a fact of another thread."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.01)


def queue_is_free() -> bool:
    """True when nobody holds the WebUI's queue; it is free again afterwards."""
    from modules import call_queue

    if not call_queue.queue_lock.acquire(blocking=False):
        return False
    call_queue.queue_lock.release()
    return True
