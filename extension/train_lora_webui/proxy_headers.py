"""Which headers pass through the proxy, and which of ours it adds."""

from __future__ import annotations

import json
from collections.abc import Iterable

from .access import Access
from .server_address import ServerAddress

ACCESS_HEADER = "x-train-lora-access"

_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"}
    | {"te", "trailer", "transfer-encoding", "upgrade"}
)
#: What belongs to the WebUI's login, to its address or to our own checks.
_OURS = frozenset(
    {"host", "origin", "referer", "cookie", "authorization", "x-train-lora-token", ACCESS_HEADER, "expect", "forwarded"}
)
#: Text that is worth the WebUI's own compression; everything else keeps its bytes, so that ranges and tags stay true.
_COMPRESSIBLE = ("text/", "application/json", "application/javascript", "image/svg")


def server_headers(address: ServerAddress, access: Access) -> list[tuple[str, str]]:
    """What makes the server answer, and what it lets this caller do."""
    verdict = json.dumps(access.as_json(), separators=(",", ":"))
    return [("Authorization", f"Bearer {address.secret}"), (ACCESS_HEADER, verdict)]


def request_headers(given: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    """The browser's headers that the server may see."""
    pairs = _decoded(given)
    dropped = _HOP_BY_HOP | _OURS | _named_by_connection(pairs)
    return [(name, value) for name, value in pairs if name not in dropped and not name.startswith("x-forwarded-")]


def response_headers(given: Iterable[tuple[bytes, bytes]], status: int) -> list[tuple[bytes, bytes]]:
    """The server's headers for the browser; `identity` keeps the WebUI's compression away from pictures and ranges."""
    pairs = _decoded(given)
    dropped = _HOP_BY_HOP | {"set-cookie"} | _named_by_connection(pairs)
    kept = [(name, value) for name, value in pairs if name not in dropped]
    values = dict(kept)
    as_it_is = status == 206 or not values.get("content-type", "").startswith(_COMPRESSIBLE)
    if as_it_is and "content-encoding" not in values:
        kept.append(("content-encoding", "identity"))
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept]


def _decoded(given: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in given]


def _named_by_connection(pairs: Iterable[tuple[str, str]]) -> set[str]:
    return {part.strip().lower() for name, value in pairs if name == "connection" for part in value.split(",")}
