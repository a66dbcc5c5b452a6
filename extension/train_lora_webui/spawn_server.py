"""Starts one Node server that outlives the WebUI."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .child_environment import own_environment
from .setup.webui_torch import webui_torch

LOG_BYTES = 4_000_000


@dataclass(frozen=True)
class Launch:
    """What starting takes. `node` is asked each time: the set-up may have brought one meanwhile."""

    home: Path
    lora_dir: Path
    repository: Path
    node: Callable[[], Path | None]
    port: int = 0
    idle_exit_minutes: int = 5
    device_id: str | None = None


class ServerFailure(Exception):
    """The server did not come up; the text is a sentence for the user."""


def installed_version(repository: Path) -> str:
    return str(json.loads((repository / "package.json").read_text("utf-8"))["version"])


def spawn(launch: Launch) -> subprocess.Popen[bytes]:
    """Starts a server that outlives us, in a session of its own. No secret is on its command line or in its log."""
    node = launch.node()
    if node is None:
        raise ServerFailure("Train LoRA needs Node 20.19 or newer, but found none; open its tab to set it up.")
    if not server_program(launch.repository).is_file():
        raise ServerFailure("The server of Train LoRA is not built yet; open its tab to set it up.")
    launch.home.mkdir(parents=True, exist_ok=True)
    with _open_log(log_file(launch.home)) as log:
        return subprocess.Popen(
            [str(node), *_arguments(launch)],
            cwd=launch.repository,
            env={**own_environment(launch.device_id), **webui_torch()},
            stdin=subprocess.DEVNULL,
            # Its first line is an address with a code that lets a browser in.
            stdout=subprocess.DEVNULL,
            stderr=log,
            close_fds=True,
            **_detached(),
        )


def _open_log(file: Path) -> IO[bytes]:
    if file.exists() and file.stat().st_size > LOG_BYTES:
        file.replace(file.with_suffix(".log.1"))
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _arguments(launch: Launch) -> list[str]:
    folders = ["--home", str(launch.home), "--lora-dir", str(launch.lora_dir)]
    port = ["--port", str(launch.port)] if launch.port else []
    return [
        str(server_program(launch.repository)),
        *folders,
        "--idle-exit",
        str(launch.idle_exit_minutes),
        "--json",
        *port,
    ]


def _detached() -> dict[str, Any]:
    if os.name == "nt":
        # Without a console of the WebUI's, closing that window does not end the server.
        flags = ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW")
        return {"creationflags": sum(getattr(subprocess, name) for name in flags)}
    return {"start_new_session": True}


def server_program(repository: Path) -> Path:
    return repository / "dist" / "server" / "main.js"


def log_file(home: Path) -> Path:
    return home / "server.log"


def last_words(log: Path, code: int) -> str:
    """The sentence with which the server refused to start: the last line of its log that ends with an error's code."""
    try:
        lines = log.read_text("utf-8", errors="replace").splitlines()[-20:]
    except OSError:
        lines = []
    for line in reversed(lines):
        said = re.fullmatch(r"(.+) \[[a-z_]+\]", line.strip())
        if said is not None:
            # Inside a WebUI the server's own options have our prefix.
            return re.sub(r"(?<![\w-])--(home|port)\b", r"--train-lora-\1", said.group(1))
    return f"The server of Train LoRA ended with code {code}; its log is {log}."
