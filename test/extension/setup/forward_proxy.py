"""A proxy as offices have one: CONNECT for HTTPS, whole addresses for HTTP, a password if wanted."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import threading
from collections.abc import Mapping


class ForwardProxy:
    """Knows the way to the `hosts` (name → local port) and to nothing else. `asked` lists what it was asked for."""

    def __init__(self, hosts: Mapping[str, int], login: str) -> None:
        self.hosts = hosts
        self.wanted = f"Basic {base64.b64encode(login.encode()).decode()}"
        self.address_with_login = ""
        self.asked: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address_with_login = f"http://{login}@127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # A thread that waits in accept() keeps the socket alive until something wakes it.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head = _read_head(client)
            method, target, _ = head.split("\r\n", 1)[0].split(" ", 2)
            said = re.search(r"(?im)^proxy-authorization: (.+?)\r?$", head)
            if said is None or said[1] != self.wanted:
                client.sendall(
                    b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="office"\r\n'
                    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
                )
                return
            self.asked.append(f"{method} {target}")
            host = re.sub(r"^\w+://", "", target).split("/")[0]
            with socket.create_connection(("127.0.0.1", self.hosts[host])) as server:
                if method == "CONNECT":
                    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                else:
                    path = target.split(host, 1)[1] or "/"
                    server.sendall(_single_request(head.replace(target, path, 1)))
                threading.Thread(target=_pump, args=(client, server), daemon=True).start()
                _pump(server, client)


def _read_head(client: socket.socket) -> str:
    head = b""
    while b"\r\n\r\n" not in head:
        part = client.recv(4096)
        if not part:
            raise OSError("the client left")
        head += part
    return head.decode("latin-1")


def _single_request(head: str) -> bytes:
    kept = re.sub(r"(?im)^(proxy-\S+|connection): .*\r\n", "", head)
    return kept.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1).encode("latin-1")


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
