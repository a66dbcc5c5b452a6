"""A stand-in WebUI in a process of its own, and how a browser or a script speaks with it."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

from certificate import Certificate
from entrance import Entrance
from venvs import gradio_python

HERE = Path(__file__).resolve().parent


class RunningWebui(Entrance):
    """Its own port is the entrance."""

    def __init__(self, line: str, data: Path, flags: list[str], idle_exit: int, tls: Certificate | None = None) -> None:
        super().__init__(free_port(), tls=tls.trusted() if tls else None)
        own = ["--tls-certfile", str(tls.file), "--tls-keyfile", str(tls.key)] if tls else []
        self.home = data / "train-lora"
        self._log = (data / "webui.log").open("ab")
        self.process = subprocess.Popen(
            [str(gradio_python(line)), str(HERE / "stand_in_webui.py"), "--port", str(self.port), *own, *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={
                **os.environ,
                "STAND_IN_DATA": str(data),
                "STAND_IN_IDLE_EXIT": str(idle_exit),
                "GRADIO_ANALYTICS_ENABLED": "False",
            },
            text=True,
        )
        self._said: Queue[dict[str, Any] | None] = Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        self.facts = self.expect("ready")

    def command(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def set_option(self, name: str, value: str) -> None:
        """A setting of the WebUI, as its Settings tab would set it."""
        self.command(f"set {name} {value}")
        self.expect("set")

    def expect(self, key: str) -> dict[str, Any]:
        while True:
            said = self._said.get(timeout=60)
            assert said is not None, "the WebUI ended; its log is webui.log"
            if key in said:
                return said

    def start_server(self, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Starts our server and waits for its address in server.json; `headers` prove who asks."""
        self.command("start")
        known = headers or {"X-Train-Lora-Token": self.page_token()}
        wait_for(lambda: self.request("GET", "/train-lora/api/server", known).status == 200)
        return self.server()

    def server(self) -> dict[str, Any]:
        return json.loads((self.home / "server.json").read_text("utf-8"))

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.kill()
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self._log.close()
        server = self.home / "server.json"
        if server.is_file():
            end_process(int(json.loads(server.read_text("utf-8"))["pid"]))

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):
                self._said.put(json.loads(line))
        self.process.stdout.close()
        self._said.put(None)


@contextmanager
def running_webui(
    line: str, data: Path, *flags: str, idle_exit: int = 5, tls: Certificate | None = None
) -> Iterator[RunningWebui]:
    webui = RunningWebui(line, data, list(flags), idle_exit, tls)
    try:
        yield webui
    finally:
        webui.close()


def wait_for(true: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def end_process(pid: int) -> None:
    if is_alive(pid):
        os.kill(pid, signal.SIGTERM)


def peak_kilobytes_of(pid: int) -> int:
    """The most that the process ever had in memory; what it has now where that is not told."""
    status = Path(f"/proc/{pid}/status")
    peak = re.search(r"VmHWM:\s*(\d+) kB", status.read_text("utf-8")) if status.is_file() else None
    return int(peak.group(1) if peak else _ask_ps("-o", "rss=", "-p", str(pid)))


def descendants_of(pid: int) -> list[tuple[int, str]]:
    """The process and all below it, each with its command line."""
    rows = [line.split(None, 2) for line in _ask_ps("-axwwo", "pid=,ppid=,args=").splitlines()]
    found = {pid}
    while more := {int(own) for own, parent, *_ in rows if int(parent) in found} - found:
        found |= more
    return [(int(own), " ".join(arguments)) for own, _parent, *arguments in rows if int(own) in found]


def _ask_ps(*options: str) -> str:
    return subprocess.run(["ps", *options], capture_output=True, text=True, check=True).stdout


def free_port() -> int:
    """Below the ports for outgoing connections, which could take one before a program listens on it."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
