"""A WebSocket client that sends the headers it is told and no others, as a foreign page or a script would."""

from __future__ import annotations

import base64
import json
import os
import socket
import ssl
import struct
from typing import Any

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class RawSocket:
    """`status` is the HTTP status of the handshake, 101 when the socket is open."""

    def __init__(self, port: int, path: str, headers: dict[str, str], tls: ssl.SSLContext | None = None) -> None:
        stream = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._stream = tls.wrap_socket(stream, server_hostname="127.0.0.1") if tls else stream
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {path} HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
        lines += [f"Sec-WebSocket-Key: {key}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self._stream.sendall("\r\n".join(lines).encode())
        self._rest = b""
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        self.status = int(head[0].split(" ")[1])
        pairs = (line.partition(": ") for line in head[1:] if line)
        self.headers = {name.lower(): value for name, _, value in pairs}

    def __enter__(self) -> RawSocket:
        return self

    def __exit__(self, *_failure: object) -> None:
        self._stream.close()

    def send(self, data: str | bytes) -> None:
        kind, body = (TEXT, data.encode()) if isinstance(data, str) else (BINARY, data)
        size = len(body)
        length = (
            bytes([0x80 | size])
            if size < 126
            else struct.pack(">BH", 0xFE, size)
            if size < 65536
            else struct.pack(">BQ", 0xFF, size)
        )
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(body))
        self._stream.sendall(bytes([0x80 | kind]) + length + mask + masked)

    def receive(self) -> str | bytes:
        """The next text or binary message. Raises ClosedByServer with the close code."""
        while True:
            kind, body = self._frame()
            if kind == CLOSE:
                raise ClosedByServer(struct.unpack(">H", body[:2])[0] if len(body) >= 2 else 1005)
            if kind in (TEXT, BINARY):
                return body.decode() if kind == TEXT else body

    def told(self, kind: str) -> dict[str, Any]:
        """The server's next message of this type; others may come between at any time."""
        while (said := json.loads(self.receive()))["type"] != kind:
            pass
        return said

    def _frame(self) -> tuple[int, bytes]:
        first, second = self._exactly(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack(">H", self._exactly(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self._exactly(8))[0]
        return first & 0x0F, self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        while len(self._rest) < size:
            self._more()
        body, self._rest = self._rest[:size], self._rest[size:]
        return body

    def _until(self, end: bytes) -> bytes:
        while end not in self._rest:
            self._more()
        head, self._rest = self._rest.split(end, 1)
        return head

    def _more(self) -> None:
        chunk = self._stream.recv(65536)
        if not chunk:
            raise ClosedByServer(1006)
        self._rest += chunk


class ClosedByServer(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(f"closed with {code}")
        self.code = code
