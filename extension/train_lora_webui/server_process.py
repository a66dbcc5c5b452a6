"""The Node server of this home: found if it runs, started if it does not, left to itself when the WebUI ends.

The server is detached on purpose. "Reload UI", a crash and a restart of the WebUI find it again, training goes on
meanwhile, and without a WebUI, a page or work it leaves by its own `--idle-exit`.
"""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from dataclasses import dataclass

from .server_address import ServerAddress, ask_facts, ask_to_leave, find_server, is_alive, read_server_file
from .spawn_server import Launch, ServerFailure, installed_version, last_words, log_file, server_program, spawn

START_SECONDS = 60.0
LEAVE_SECONDS = 20.0
WATCH_SECONDS = 2.0
OUTDATED_SECONDS = 30.0
#: A server that crashes at once each time is not started for ever.
CRASHES_IN_A_ROW = 3
CALM_SECONDS = 300.0

_log = logging.getLogger("train_lora_webui")


@dataclass(frozen=True)
class ServerState:
    """`state`: stopped, starting, ready or failed; `message` is a sentence when it failed."""

    state: str
    message: str = ""


class ServerProcess:
    """One a WebUI, for as long as its process lives. Every method returns at once and may be called from any thread."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._state = ServerState("stopped")
        self._address: ServerAddress | None = None
        self._child: subprocess.Popen[bytes] | None = None

    def state(self) -> ServerState:
        return self._state

    def address(self) -> ServerAddress | None:
        """Where the server answers, or None while there is none."""
        return self._address

    def start(self) -> None:
        """Finds or starts the server and keeps an eye on it from now on. Also the way to try again after a failure."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            self._state = ServerState("starting")
            self._thread = threading.Thread(target=self._keep, name="train-lora-server", daemon=True)
            self._thread.start()

    def look(self) -> None:
        """Attaches to a server that runs already, and starts none. Asks it over HTTP while no `start` keeps watch."""
        thread = self._thread
        if thread is not None and thread.is_alive():
            return
        if not self._adopt(find_server(self._launch.home)):
            self._address = None
            if self._state.state == "ready":
                self._state = ServerState("stopped")

    def make_room(self) -> str | None:
        """Before the set-up replaces what the server runs on: waits until it has left (None), or says why it stays."""
        self.look()
        address = self._address
        if address is None:
            return None
        if not _is_idle(address):
            return "A training runs or waits in the queue; the update is possible as soon as the queue is empty."
        _wait_until_gone(address)
        return None if ask_facts(address) is None else "The server of Train LoRA did not leave; try again in a moment."

    def _keep(self) -> None:
        crashes, crashed_at = 0, 0.0
        while True:
            try:
                self._bring_up()
            except ServerFailure as failure:
                self._give_up(str(failure))
                return
            except OSError as error:
                self._give_up(f"The server of Train LoRA could not be started: {error}.")
                return
            end = self._watch()
            if end == "left":
                self._rest(ServerState("stopped"))
                return
            self._state = ServerState("starting")
            if end == "outdated":
                continue
            # After the state: nobody may see "ready" without an address.
            self._address = None
            crashes = crashes + 1 if time.monotonic() - crashed_at < CALM_SECONDS else 1
            crashed_at = time.monotonic()
            if crashes >= CRASHES_IN_A_ROW:
                self._give_up(
                    f"The server of Train LoRA ended by itself {crashes} times; "
                    f"its last words are in {log_file(self._launch.home)}."
                )
                return
            time.sleep(crashes)

    def _give_up(self, message: str) -> None:
        self._rest(ServerState("failed", message))
        _log.error(message)

    def _rest(self, state: ServerState) -> None:
        """The watch is over. Whoever sees that may `start` at once, so the thread is let go in the same moment."""
        with self._lock:
            self._state, self._address, self._thread = state, None, None

    def _adopt(self, address: ServerAddress | None) -> bool:
        if address is None:
            return False
        self._address, self._state = address, ServerState("ready")
        return True

    def _bring_up(self) -> None:
        self._state = ServerState("starting")
        found = find_server(self._launch.home)
        if found is not None and self._is_outdated(found) and _is_idle(found):
            _wait_until_gone(found)
            found = None
        if self._adopt(found):
            return
        self._child = spawn(self._launch)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            code = self._child.poll()
            found = find_server(self._launch.home)
            if found is not None and self._adopt(found):
                # Two WebUIs that start at once: one server wins and serves both, and a late second one must not stay.
                if found.pid != self._child.pid and code is None:
                    self._child.terminate()
                return
            if code is not None:
                raise ServerFailure(last_words(log_file(self._launch.home), code))
            time.sleep(0.1)
        self._child.kill()
        raise ServerFailure(
            f"The server of Train LoRA did not answer within {START_SECONDS:.0f} s; "
            f"its log is {log_file(self._launch.home)}."
        )

    def _watch(self) -> str:
        """Returns when the server is gone or too old: "crashed", "left" by itself or "outdated" (and idle)."""
        looked_at = time.monotonic()
        while True:
            time.sleep(WATCH_SECONDS)
            address = self._address
            if address is None or not self._lives(address):
                # A server that leaves takes its file along; one that crashes leaves it behind.
                return "left" if read_server_file(self._launch.home) is None else "crashed"
            if time.monotonic() - looked_at > OUTDATED_SECONDS:
                looked_at = time.monotonic()
                if self._is_outdated(address) and _is_idle(address):
                    return "outdated"

    def _lives(self, address: ServerAddress) -> bool:
        child = self._child
        if child is not None and child.pid == address.pid:
            return child.poll() is None
        return is_alive(address.pid)

    def _is_outdated(self, address: ServerAddress) -> bool:
        """Whether the extension has been updated since that server started."""
        facts = ask_facts(address)
        if facts is None:
            return False
        return facts.version != installed_version(self._launch.repository) or self._is_older_than_its_program()

    def _is_older_than_its_program(self) -> bool:
        try:
            started_at = (self._launch.home / "server.json").stat().st_mtime
            return server_program(self._launch.repository).stat().st_mtime > started_at
        except OSError:
            return False


def _is_idle(address: ServerAddress) -> bool:
    facts = ask_facts(address)
    return facts is not None and facts.busy is False


def _wait_until_gone(address: ServerAddress) -> None:
    ask_to_leave(address)
    deadline = time.monotonic() + LEAVE_SECONDS
    while time.monotonic() < deadline and ask_facts(address) is not None:
        time.sleep(0.1)
