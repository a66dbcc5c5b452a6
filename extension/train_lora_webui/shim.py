"""What lives as long as the WebUI's process: the keeper of the server, which each "Reload UI" finds again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

from . import setup
from .access import Access, Policy
from .door import Door
from .flags import Flags, read_flags, read_policy, webui_options
from .proxy import HttpProxy
from .routes import PREFIX, Routes
from .server_address import ServerAddress, ask_facts
from .server_process import ServerProcess
from .spawn_server import Launch, installed_version
from .webui_settings import node_setting, other_hosts_setting

#: How long the server waits for a WebUI that was restarted, before it leaves.
IDLE_EXIT_MINUTES = 5

_shims: list[Shim] = []


class Shim:
    """One a process; use `the_shim`."""

    def __init__(self, repository: Path, flags: Flags) -> None:
        self.repository = repository
        self.flags = flags
        setup.configure(flags.home, flags.node or node_setting(), self._make_room, repository)
        self.server = ServerProcess(
            Launch(
                home=flags.home,
                lora_dir=flags.lora_dir,
                repository=repository,
                node=setup.node_path,
                port=flags.port,
                idle_exit_minutes=IDLE_EXIT_MINUTES,
                device_id=getattr(webui_options(), "device_id", None),
            )
        )

    def _make_room(self) -> str | None:
        return self.server.make_room()

    def attach(self, app: Any, demo: Any) -> None:
        """Adds our routes to a new app. `demo` is None when the WebUI runs without its page."""

        def policy() -> Policy:
            return read_policy(app, demo, other_hosts_setting())

        def stopping() -> bool:
            return bool(getattr(getattr(demo, "server", None), "should_exit", False))

        door = Door(app, policy)
        panel = self.repository / "extension" / "javascript"
        Routes(door, HttpProxy(stopping), self.server.address, self.status, self.server.start, panel).add_to(app)
        setup.routes(app, PREFIX, door.guard)

    def start_server(self) -> None:
        """Does nothing before the set-up is through; its panel starts the server then."""
        if setup.is_ready():
            self.server.start()

    def server_address(self) -> tuple[int, str] | None:
        """Port and secret for the host's own socket; may ask the server first."""
        self.server.look()
        address = self.server.address()
        return None if address is None else (address.port, address.secret)

    async def status(self, access: Access) -> dict[str, Any]:
        """`state`: ready, setupNeeded, starting, stopped or failed; `working`: a job runs or waits in the queue;
        `trainer`: its packages are those of this version."""
        return await run_in_threadpool(self._status, access)

    def _status(self, access: Access) -> dict[str, Any]:
        self.server.look()
        address = self.server.address()
        working = address is not None and _is_working(address)
        state = self.server.state()
        # After an update, training goes on with the server that it began with; the set-up waits for its end.
        name = "setupNeeded" if not working and not setup.is_ready() else state.state
        return {
            "state": name,
            # It may name folders.
            "message": "" if access.hide_folders else state.message,
            "version": installed_version(self.repository),
            "working": working,
            "trainer": setup.trainer_is_ready(),
            "access": access.as_json(),
        }


def the_shim(repository: Path) -> Shim:
    """The one of this process, made at the first call."""
    if not _shims:
        _shims.append(Shim(repository, read_flags()))
    return _shims[0]


def _is_working(address: ServerAddress) -> bool:
    facts = ask_facts(address)
    return facts is not None and facts.busy is True
