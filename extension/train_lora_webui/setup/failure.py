"""What can go wrong in the set-up, as facts: a code, a sentence, and the lines that tell more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """`code` chooses the page's own sentence; `message` is the English one, `details` goes into *Copy details*."""

    code: str
    message: str
    details: str = ""


class StepFailed(Exception):
    """Carries a Failure to the border of the set-up, where it is shown."""

    def __init__(self, code: str, message: str, details: str = "") -> None:
        super().__init__(message)
        self.failure = Failure(code, message, details)


class Cancelled(Exception):
    """The user pressed *Stop*."""


#: In this order: the first that is found in a program's last lines is the reason. npm, Node, pip, uv and both systems.
_SIGNS = (
    ("disk_full", r"ENOSPC|EDQUOT|No space left on device|not enough space|Errno 28\b|WinError 112"),
    ("files_in_use", r"\bEBUSY\b|WinError 32\b|being used by another process"),
    ("permission_denied", r"\bEACCES\b|\bEPERM\b|\bEROFS\b|Permission denied|Read-only file system|Access is denied"),
    (
        "proxy_refused",
        r"\bE407\b|\b407 Proxy|Proxy Authentication Required|Tunnel connection failed|Cannot connect to proxy"
        r"|ProxyError",
    ),
    (
        "certificate",
        r"CERTIFICATE_VERIFY_FAILED|UNABLE_TO_(?:GET_ISSUER_CERT|VERIFY_LEAF)|SELF_SIGNED_CERT|CERT_HAS_EXPIRED"
        r"|self[- ]signed certificate|unable to get (?:local )?issuer certificate|invalid peer certificate",
    ),
    (
        "no_internet",
        r"ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT"
        r"|ENOTCACHED|getaddrinfo failed|Temporary failure in name resolution|Name or service not known"
        r"|nodename nor servname|Failed to establish a new connection|NewConnectionError|Network is unreachable"
        r"|Connection refused|[Cc]onnect(?:ion)? timed? ?out|Read timed out|dns error|No address associated",
    ),
    ("not_offered", r"\bE404\b|\bETARGET\b|No matching distribution found|Could not find a version that satisfies"),
    ("registry_refused", r"\bE401\b|\bE403\b|\b401 (?:Client Error|Unauthorized)|\b403 (?:Client Error|Forbidden)"),
)

SENTENCES = {
    "disk_full": "The disk is full. Free some space and press Try again: it goes on with the step that failed.",
    "files_in_use": "Files of the extension are in use. Close what uses them (a running training of Train LoRA, an "
    "editor, a virus scanner) and press Try again.",
    "permission_denied": "A folder may not be written. Give the account that runs the WebUI the right to write it, "
    "and press Try again.",
    "proxy_refused": "The proxy refused the connection. Check its address and password in HTTP_PROXY and HTTPS_PROXY, "
    "start the WebUI again and press Try again.",
    "certificate": "The registry's certificate is not trusted here. If your network replaces certificates, name its "
    "own one in NODE_EXTRA_CA_CERTS and PIP_CERT, start the WebUI again and press Try again.",
    "no_internet": "No package registry could be reached. Check the internet connection (behind a proxy HTTPS_PROXY, "
    "with a mirror npm_config_registry and PIP_INDEX_URL) and press Try again.",
    "not_offered": "The package registry does not offer a package in the version that is needed. If a mirror is set "
    "(npm_config_registry, PIP_INDEX_URL), it may be behind; choose another one and press Try again.",
    "registry_refused": "The package registry refused to hand out a package. Check the mirror that is set "
    "(npm_config_registry, PIP_INDEX_URL) and its password, and press Try again.",
    "killed": "The system ended the program before it was done, most often for want of memory. Close other programs "
    "and press Try again.",
}


def recognise_failure(code: int, tail: Sequence[str], otherwise: Failure) -> Failure:
    """The reason why a program ended with `code` ≠ 0, read from its last lines; `otherwise` when they don't tell."""
    told = [line for line in tail if not line.startswith("npm http")]
    details = "\n".join(told)
    # npm names the reason in a line of its own; its warnings may speak of other things.
    named = "\n".join(re.findall(r"npm (?:error|ERR!) code (\S+)", details))
    for text in (named, details):
        for name, signs in _SIGNS:
            if re.search(signs, text):
                return Failure(name, _with_folder(name, details), details)
    if code in (-9, 137):
        return Failure("killed", SENTENCES["killed"], details)
    return Failure(otherwise.code, otherwise.message, details or otherwise.details)


def failure_of_os_error(error: OSError) -> Failure:
    """An error of our own file work in the same words as one of a program that we started."""
    return recognise_failure(
        1, [str(error)], Failure("unknown", f"The set-up could not go on: {error}. Press Try again.", str(error))
    )


def _with_folder(name: str, details: str) -> str:
    if name != "permission_denied":
        return SENTENCES[name]
    said = re.search(r"(?:Permission denied|Read-only file system|operation not permitted)[^'\n]*'([^'\n]+)'", details)
    return SENTENCES[name].replace("A folder", f"{said.group(1)}", 1) if said else SENTENCES[name]
