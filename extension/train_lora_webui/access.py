"""Who may do what: pure functions from what a request says and how the WebUI was started to a verdict.

The server repeats none of this: it believes the verdict because it comes beside its own secret.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

READING = frozenset({"GET", "HEAD"})
#: A page offers `train-lora` and `train-lora.<token>`: its WebSocket can send no header, and an address ends in logs.
SUB_PROTOCOL = "train-lora"
TOKEN_HEADER = "x-train-lora-token"
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True)
class Policy:
    """How the WebUI was started."""

    #: `--gradio-auth`: gradio wants a login.
    login: bool = False
    #: `--listen`, `--share`, `--ngrok`, `--server-name` of another machine than this one.
    reachable: bool = False
    #: `--train-lora-allow-remote`: the owner takes the risk of a reachable WebUI without a login.
    allow_remote: bool = False
    #: `--hide-ui-dir-config`.
    hide_folders: bool = False
    #: `--api-auth` as pairs of name and password.
    api_auth: tuple[tuple[str, str], ...] = ()
    #: `--cors-allow-origins` and `--cors-allow-origins-regex`.
    cors_origins: tuple[str, ...] = ()
    cors_origin_regex: str | None = None
    #: Names under which a proxy in front shows this WebUI; from our settings.
    other_hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Secrets:
    """What a page of this WebUI holds: the token from the tab's config, and the cookie that it was traded for."""

    token: str
    cookie_name: str
    cookie_value: str


@dataclass(frozen=True)
class Caller:
    """What one request says of itself. Header names are lower case."""

    method: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str] = field(default_factory=dict)
    socket: bool = False
    #: gradio's name for the user whose login cookie came along.
    user: str | None = None


@dataclass(frozen=True)
class Access:
    """`Access` of protocol/host.ts."""

    level: str = "full"
    reason: str = "none"
    hide_folders: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"level": self.level, "reason": self.reason, "hideFolders": self.hide_folders}


@dataclass(frozen=True)
class Refusal:
    """`status` is the HTTP status, `code` one of protocol/errors.ts."""

    status: int
    code: str
    message: str


def judge(caller: Caller, policy: Policy, secrets: Secrets) -> Access | Refusal:
    """The verdict on one request. Host and Origin come first: a foreign page does not learn if there is a login."""
    return (
        _host_refusal(caller, policy)
        or _origin_refusal(caller, policy, secrets)
        or _script_access(caller, policy)
        or _login_refusal(caller, policy)
        or _token_refusal(caller, secrets)
        or _page_access(policy)
    )


def login_user(cookies: Mapping[str, str], tokens: Mapping[str, Any], cookie_id: str | None) -> str | None:
    """gradio's user of these cookies. gradio 4 adds its `cookie_id` to the names; the first is sent over TLS only."""
    suffix = f"-{cookie_id}" if cookie_id else ""
    for name in (f"access-token{suffix}", f"access-token-unsecure{suffix}"):
        user = tokens.get(cookies.get(name, ""))
        if user is not None:
            return str(user)
    return None


def offered_protocols(headers: Mapping[str, str]) -> list[str]:
    return [name.strip() for name in headers.get("sec-websocket-protocol", "").split(",") if name.strip()]


def accepted_protocol(headers: Mapping[str, str]) -> str | None:
    """The one to answer with: browsers drop a socket whose offer is not taken up. The bare name has no token in it."""
    offered = offered_protocols(headers)
    ours = [name for name in offered if name == SUB_PROTOCOL or name.startswith(f"{SUB_PROTOCOL}.")]
    return SUB_PROTOCOL if SUB_PROTOCOL in offered else next(iter(ours), None)


def _host_refusal(caller: Caller, policy: Policy) -> Refusal | None:
    host = caller.headers.get("host", "").lower()
    # A WebUI that others may reach has names that nobody told us, and a login cookie belongs to the name it came from.
    if policy.reachable or caller.user is not None:
        return None
    if _name_of(host) in LOOPBACK_NAMES or _is_named(host, policy.other_hosts):
        return None
    return Refusal(
        403,
        "unauthorized",
        f'This WebUI answers to {", ".join(sorted(LOOPBACK_NAMES))}, but was asked for "{host}". If that is a name '
        "of yours, add it in Settings → Train LoRA, or start the WebUI with a login.",
    )


def _origin_refusal(caller: Caller, policy: Policy, secrets: Secrets) -> Refusal | None:
    origin = caller.headers.get("origin", "").lower()
    host = caller.headers.get("host", "").lower()
    if not origin or _is_known_origin(origin, host, policy):
        return None
    # Many proxies pass on the name without its port. Another page at another port of it has no token.
    if _name_of(origin.partition("://")[2]) == host and _has_token(caller, secrets):
        return None
    return Refusal(
        403,
        "unauthorized",
        f"Requests from the page {origin} are not accepted; open Train LoRA in the WebUI itself, allow that page with "
        "--cors-allow-origins, or, behind a proxy, add its name in Settings → Train LoRA.",
    )


def _is_known_origin(origin: str, host: str, policy: Policy) -> bool:
    if origin == "null":
        return False
    scheme, _, site = origin.partition("://")
    site = _without_default_port(site, scheme)
    if site == _without_default_port(host, scheme) or _is_named(site, policy.other_hosts):
        return True
    if "*" in policy.cors_origins or origin in (known.lower().rstrip("/") for known in policy.cors_origins):
        return True
    return policy.cors_origin_regex is not None and re.fullmatch(policy.cors_origin_regex, origin) is not None


def _script_access(caller: Caller, policy: Policy) -> Access | None:
    pair = _basic_pair(caller.headers.get("authorization", ""))
    # A pair that is none of ours may belong to a proxy in front, so it is no reason to refuse.
    if pair is None or not any(_is_same_pair(pair, known) for known in policy.api_auth):
        return None
    return Access(hide_folders=policy.hide_folders)


def _login_refusal(caller: Caller, policy: Policy) -> Refusal | None:
    if not policy.login or caller.user is not None:
        return None
    return Refusal(
        401, "unauthorized", "The WebUI wants a login, but this browser has none or it has ended; log in again."
    )


def _token_refusal(caller: Caller, secrets: Secrets) -> Refusal | None:
    if _has_token(caller, secrets):
        return None
    has_cookie = _is_same(caller.cookies.get(secrets.cookie_name, ""), secrets.cookie_value)
    # The browser sends the cookie by itself, so a change wants the page's address beside it, which no page can make up.
    if has_cookie and (caller.headers.get("origin") or (caller.method in READING and not caller.socket)):
        return None
    return Refusal(401, "unauthorized", "This page does not belong to the running WebUI; reload it.")


def _has_token(caller: Caller, secrets: Secrets) -> bool:
    return any(_is_same(token, secrets.token) for token in _tokens(caller))


def _tokens(caller: Caller) -> Iterable[str]:
    yield caller.headers.get(TOKEN_HEADER, "")
    # A socket without an Origin is no browser's; it has a header for its token.
    if caller.socket and caller.headers.get("origin"):
        yield from (
            name[len(SUB_PROTOCOL) + 1 :]
            for name in offered_protocols(caller.headers)
            if name.startswith(f"{SUB_PROTOCOL}.")
        )


def _page_access(policy: Policy) -> Access:
    if policy.reachable and not policy.login and not policy.allow_remote:
        return Access("restricted", "openToOthers", True)
    return Access(hide_folders=policy.hide_folders)


def _name_of(host: str) -> str:
    return host if host.endswith("]") else re.sub(r":\d+$", "", host)


def _is_named(host: str, names: Iterable[str]) -> bool:
    return any(known.lower() in (host, _name_of(host)) for known in names)


def _without_default_port(site: str, scheme: str) -> str:
    port = {"http": ":80", "https": ":443"}.get(scheme)
    return site[: -len(port)] if port and site.endswith(port) else site


def _basic_pair(header: str) -> tuple[str, str] | None:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, password


def _is_same_pair(given: tuple[str, str], known: tuple[str, str]) -> bool:
    # Both are compared always, so that the time tells nothing of the name.
    return _is_same(given[0], known[0]) & _is_same(given[1], known[1])


def _is_same(given: str, known: str) -> bool:
    return bool(known) and hmac.compare_digest(given.encode("utf-8"), known.encode("utf-8"))
