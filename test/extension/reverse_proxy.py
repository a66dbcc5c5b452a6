"""A reverse proxy as people put before a WebUI: below a path that it takes away, with TLS of its own if wanted."""

from __future__ import annotations

import argparse
import contextlib
import re
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from certificate import make_certificate


class ReverseProxy:
    """
    Forwards one request a connection, and upgrades for as long as they live. `host`: the name it asks the WebUI for;
    None passes on the browser's own, as `proxy_set_header Host $http_host` does.
    """

    def __init__(
        self,
        target: int,
        prefix: str = "",
        strips: bool = True,
        host: str | None = None,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
    ) -> None:
        self._target, self._prefix, self._strips, self._host, self._tls = target, prefix, strips, host, tls
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # A thread that waits in accept() keeps the port open until it is woken.
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                browser, _address = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(browser,), daemon=True).start()

    def _serve(self, browser: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as open_ends:
            near = open_ends.enter_context(self._tls.wrap_socket(browser, server_side=True) if self._tls else browser)
            head, rest = _read_head(near)
            far = open_ends.enter_context(socket.create_connection(("127.0.0.1", self._target)))
            far.sendall(self._rewritten(head) + rest)
            back = threading.Thread(target=_pour, args=(far, near), daemon=True)
            back.start()
            _pour(near, far)
            back.join()

    def _rewritten(self, head: bytes) -> bytes:
        line, *headers = head.decode("latin-1").split("\r\n")
        method, path, version = line.split(" ")
        if self._strips:
            path = re.sub(f"^{re.escape(self._prefix)}(?=/)", "", path)
        upgrades = any(re.match(r"(?i)upgrade:", header) for header in headers)
        named = next(header.split(": ", 1)[1] for header in headers if header.lower().startswith("host:"))
        added = [f"X-Forwarded-Host: {named}", f"X-Forwarded-Proto: {'https' if self._tls else 'http'}"]
        added += ["X-Forwarded-For: 203.0.113.9", "Via: 1.1 proxy"]
        kept = [header for header in headers if not re.match(r"(?i)connection:|host:", header)]
        own = [f"Host: {self._host or named}", f"Connection: {'Upgrade' if upgrades else 'close'}"]
        return "\r\n".join([f"{method} {path} {version}", *own, *kept, *added, "", ""]).encode("latin-1")


@contextlib.contextmanager
def reverse_proxy(
    target: int, prefix: str = "", strips: bool = True, host: str | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[ReverseProxy]:
    proxy = ReverseProxy(target, prefix, strips, host, tls)
    try:
        yield proxy
    finally:
        proxy.close()


def _read_head(stream: socket.socket) -> tuple[bytes, bytes]:
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = stream.recv(65536)
        if not chunk:
            raise ConnectionError
        received += chunk
    head, rest = received.split(b"\r\n\r\n", 1)
    return head, rest


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _main() -> None:
    """By TLS, for a browser, until stdin ends."""
    parser = argparse.ArgumentParser()
    for name in ("--port", "--target"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True, help="for the certificate")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--host")
    options = parser.parse_args()
    tls = make_certificate(options.folder).shown()
    ReverseProxy(options.target, options.prefix, host=options.host, tls=tls, port=options.port)
    sys.stdout.write('{"ready": true}\n')
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    _main()
