"""A server of Train LoRA that answers, found by `<home>/server.json`."""

from __future__ import annotations

import http.client
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: A server that draws thumbnails or scans may take a moment; one that is gone refuses at once.
ANSWER_SECONDS = 5.0


@dataclass(frozen=True)
class ServerAddress:
    """Where it listens on 127.0.0.1 and what it wants to hear. `repr` never shows the secret, so that no log does."""

    port: int
    secret: str
    pid: int

    def __repr__(self) -> str:
        return f"ServerAddress(port={self.port}, pid={self.pid})"


@dataclass(frozen=True)
class ServerFacts:
    """`GET /api/server`. `busy` is None with a server that is too old to tell."""

    version: str
    busy: bool | None


def read_server_file(home: Path) -> ServerAddress | None:
    """What server.json says, whether that server still lives or not."""
    try:
        said = json.loads((home / "server.json").read_text("utf-8"))
        return ServerAddress(port=int(said["port"]), secret=str(said["secret"]), pid=int(said["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def find_server(home: Path) -> ServerAddress | None:
    """The server of this home if its process lives and it answers to its secret."""
    address = read_server_file(home)
    # The secret is not shown to whatever program took the port of a server that has crashed.
    if address is None or not is_alive(address.pid):
        return None
    return address if ask_facts(address) is not None else None


def ask_facts(address: ServerAddress) -> ServerFacts | None:
    said = _ask(address, "GET", "/api/server")
    if said is None:
        return None
    busy = said.get("busy")
    return ServerFacts(version=str(said.get("version", "")), busy=busy if isinstance(busy, bool) else None)


def ask_to_leave(address: ServerAddress) -> None:
    """The server has a running training save its state first."""
    _ask(address, "POST", "/api/shutdown")


def is_alive(pid: int) -> bool:
    if os.name == "nt":
        # On Windows os.kill ends the process whatever the signal.
        import psutil

        return bool(psutil.pid_exists(pid))
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _ask(address: ServerAddress, method: str, path: str) -> dict[str, Any] | None:
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=ANSWER_SECONDS)
    try:
        connection.request(method, path, headers={"Authorization": f"Bearer {address.secret}"})
        answer = connection.getresponse()
        said = json.loads(answer.read() or b"{}")
        return said if answer.status < 300 and isinstance(said, dict) else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
