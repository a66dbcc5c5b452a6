"""A hub on this machine: small files by redirect-free answers, large ones by a redirect, and every way to misbehave."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Hub:
    """files: content by `repository/file`. Large ones (`large`) lie behind a redirect and are named by SHA-256.

    cut: after how many bytes of an answer the connection breaks, once for each entry. statuses: answers to give first
    instead of bytes. lies: content to send instead of what the hash says, once for each entry. parts: whether Range is
    obeyed. hashes: whether they are told.
    """

    files: dict[str, bytes]
    large: set[str] = field(default_factory=set)
    cut: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    lies: list[bytes] = field(default_factory=list)
    parts: bool = True
    hashes: bool = True
    retry_after: str = ""
    ranges: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    endpoint: str = ""


@contextmanager
def running(hub: Hub) -> Iterator[Hub]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:  # noqa: N802
            _answer(self, hub)

        def do_GET(self) -> None:  # noqa: N802
            _answer(self, hub)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _answer(request: BaseHTTPRequestHandler, hub: Hub) -> None:
    hub.agents.add(request.headers.get("User-Agent", ""))
    asked = re.fullmatch(r"/(cdn/)?(.+?)(/resolve/main)?/([^/]+(?:/[^/]+)*)", request.path)
    behind = request.path.startswith("/cdn/")
    name = (
        request.path.removeprefix("/cdn/")
        if behind
        else request.path.removeprefix("/").replace("/resolve/main/", "/", 1)
    )
    if request.command == "GET" and hub.statuses:
        return _end(request, hub.statuses.pop(0), {"Retry-After": hub.retry_after} if hub.retry_after else {})
    content = hub.files.get(name)
    if content is None or asked is None:
        return _end(request, 404, {})
    if name in hub.large and not behind:
        told = {"X-Linked-Etag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Linked-Size": str(len(content))}
        return _end(request, 302, {"Location": f"/cdn/{name}", **(told if hub.hashes else {})})
    digest = hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
    tag = {"ETag": f'"{digest}"'} if hub.hashes and not behind else {}
    if request.command == "HEAD":
        return _end(request, 200, tag, len(content))
    return _send(request, hub, hub.lies.pop(0) if hub.lies else content, tag)


def _send(request: BaseHTTPRequestHandler, hub: Hub, content: bytes, headers: dict[str, str]) -> None:
    wanted = request.headers.get("Range", "")
    hub.ranges.append(wanted)
    start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and hub.parts else 0
    if start:
        headers = {**headers, "Content-Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
    body = content[start:]
    request.send_response(206 if start else 200)
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        request.send_header(name, value)
    request.end_headers()
    if hub.cut:
        request.wfile.write(body[: hub.cut.pop(0)])
        request.wfile.flush()
        request.close_connection = True
        return
    request.wfile.write(body)


def _end(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], length: int = 0) -> None:
    request.send_response(status)
    for name, value in {**headers, "Content-Length": str(length)}.items():
        request.send_header(name, value)
    request.end_headers()
