"""A hub of models over HTTP: where a file is, how large, by which hash, and its bytes from any place on."""

import contextlib
import os
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Any

from trainer.failure import Failure

TIMEOUT_SECONDS = 30.0
_AGENT = "train-lora (a tool that trains LoRAs; fetches taggers on its user's word)"
_MOST_REDIRECTS = 5
_LATER = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class HubFile:
    """address: where the bytes are asked for. hash: 64 hex digits of SHA-256, or 40 of git's blob hash. size: bytes."""

    address: str
    hash: str
    size: int


class BrokenError(Exception):
    """The connection failed in a way that may pass. `after`: seconds that the hub asks to wait, if it does."""

    def __init__(self, text: str, after: float | None = None) -> None:
        super().__init__(text)
        self.after = after


def look_up(endpoint: str, repository: str, revision: str, file: str) -> HubFile:
    """What the hub says of a file. Raises BrokenError, or Failure `download_failed` when another try would not help."""
    parts = (*repository.split("/"), "resolve", revision, *file.split("/"))
    address = f"{endpoint.rstrip('/')}/{'/'.join(urllib.parse.quote(part, safe='') for part in parts)}"
    for _ in range(_MOST_REDIRECTS):
        headers = _headers(address)
        place = headers.get("Location")
        moved = place is not None and headers.get("X-Linked-Etag") is None and _same_host(address, place)
        if not moved or place is None:
            return _described(address, file, headers)
        address = urllib.parse.urljoin(address, place)
    raise Failure(
        "download_failed", f"Expected {file} of {repository}, but the hub only pointed elsewhere; try again later."
    )


def read_from(file: HubFile, start: int) -> tuple[HTTPResponse, int]:
    """The file's bytes from `start` on, or from 0 when the hub gives no parts, and which. Raises as `look_up`."""
    wanted = {"Range": f"bytes={start}-"} if start > 0 else {}
    response = _bytes(file.address, wanted)
    given = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if response.status == 206 and given and int(given[1]) == start:
        return response, start
    if response.status == 206:
        response.close()
        raise BrokenError("another part came than was asked for")
    return response, 0


def broken(error: Exception) -> BrokenError:
    """An error while bytes were read, in words."""
    if isinstance(error, IncompleteRead):
        return BrokenError("the connection was cut off")
    reason = getattr(error, "reason", None)
    return BrokenError(str(reason or error) or type(error).__name__)


CONNECTION_ERRORS = (OSError, HTTPException)


def _described(address: str, file: str, headers: Any) -> HubFile:  # noqa: ANN401
    tag = str(headers.get("X-Linked-Etag") or headers.get("ETag") or "")
    digest = tag.removeprefix("W/").strip('"').lower()
    size = str(headers.get("X-Linked-Size") or headers.get("Content-Length") or "")
    if not re.fullmatch(r"[0-9a-f]{64}|[0-9a-f]{40}", digest) or not size.isdigit():
        raise Failure(
            "download_failed",
            f"Expected the hub to tell size and hash of {file}, but it does not, so that the file could not be "
            "checked; use another hub (HF_ENDPOINT), or put the tagger's files into the taggers' folder yourself.",
        )
    return HubFile(address, digest, int(size))


def _headers(address: str) -> Any:  # noqa: ANN401
    try:
        with _send(address, "HEAD", {}, _NoRedirects()) as response:
            return response.headers
    except urllib.error.HTTPError as error:
        with error:
            if 300 <= error.code < 400:
                return error.headers
            raise _refused(address, error) from error
    except CONNECTION_ERRORS as error:
        raise broken(error) from error


def _bytes(address: str, headers: dict[str, str]) -> HTTPResponse:
    try:
        # Packed bytes would have another size and hash.
        return _send(address, "GET", {"Accept-Encoding": "identity", **headers}, _Redirects())
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(address, error) from error
    except CONNECTION_ERRORS as error:
        raise broken(error) from error


def _send(
    address: str, method: str, headers: dict[str, str], redirects: urllib.request.HTTPRedirectHandler
) -> HTTPResponse:
    request = urllib.request.Request(address, method=method, headers={"User-Agent": _AGENT, **headers})
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=_certificates()), redirects)
    response: HTTPResponse = opener.open(request, timeout=TIMEOUT_SECONDS)
    return response


def _refused(address: str, error: urllib.error.HTTPError) -> Exception:
    if error.code == 416:
        return BrokenError("the hub has no such part")
    if error.code in _LATER:
        after = error.headers.get("Retry-After", "")
        return BrokenError(f"the hub answers {error.code}", min(float(after), 600.0) if after.isdigit() else None)
    why = {401: "it wants a login", 403: "it refuses", 404: "it has no such file"}.get(error.code, "it refuses")
    return Failure(
        "download_failed",
        f"Expected the hub to give {address}, but {why} ({error.code}); choose another tagger, or put its files "
        "into the taggers' folder yourself.",
    )


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows, but never from a protected connection to an open one."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> Any:  # noqa: ANN401, PLR0913
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise Failure(
                "download_failed", f"The hub points from {req.full_url} to an unprotected address; nothing was fetched."
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Leaves the pointing answer as it is, because its headers tell size and hash."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401
        return None


def _same_host(address: str, place: str) -> bool:
    return urllib.parse.urlsplit(urllib.parse.urljoin(address, place)).netloc == urllib.parse.urlsplit(address).netloc


def _certificates() -> ssl.SSLContext:
    context = ssl.create_default_context()
    # A Python without the system's certificates has those of the certifi package.
    if not os.environ.get("SSL_CERT_FILE") and not context.get_ca_certs():
        with contextlib.suppress(ImportError):
            import certifi

            context.load_verify_locations(certifi.where())
    return context
