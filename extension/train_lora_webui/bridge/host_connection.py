"""The WebUI's own outgoing connection with the server; comes back by itself, for ever."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any, Callable

from ..socket_log import socket_log
from .host_session import HostSession
from .log import say

Address = Callable[[], "tuple[int, str] | None"]
"""
(port, secret) of the server as it is now, or None while there is none. Called in the connection's own thread; may
block.
"""

RETRY_SECONDS = (0.5, 1.0, 2.0)
REFUSED_SECONDS = 30.0
HEART_BEAT_SECONDS = 20.0
CONNECT_SECONDS = 10.0
MAX_MESSAGE_BYTES = 64 * 2**20

REFUSALS = {4400, 4409}
"""Close codes of a server that speaks another protocol, or belongs to another WebUI; soon trying again won't help."""


class HostConnection:
    """
    One daemon thread with an event loop of its own, from `start` until `stop`. Both may be called again and again.
    """

    def __init__(self) -> None:
        self._address: Address = lambda: None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._session: HostSession | None = None
        self._told: str | None = None
        self._greeted = False
        self._lock = threading.Lock()

    def start(self, address: Address) -> None:
        """Connects, or when it does already, takes the new `address` for the next time and looks for changed facts."""
        with self._lock:
            self._address = address
            session = self._session
            if self._thread is None or not self._thread.is_alive():
                ready = threading.Event()
                self._thread = threading.Thread(target=self._run, args=(ready,), name="train-lora host", daemon=True)
                self._thread.start()
                ready.wait(5)
        if session is not None:
            session.look_again(facts_may_differ=True)

    def stop(self, seconds: float = 2.0) -> None:
        """Drops the connection, which gives back every lease; waits at most `seconds` for the thread."""
        with self._lock:
            thread, loop, stopping = self._thread, self._loop, self._stopping
            self._thread = None
        if thread is None or loop is None or stopping is None or not thread.is_alive():
            return
        try:
            loop.call_soon_threadsafe(stopping.set)
        except RuntimeError:
            # It has ended by itself in this moment.
            return
        if thread is not threading.current_thread():
            thread.join(seconds)

    def is_connected(self) -> bool:
        return self._session is not None

    def model_loaded(self) -> None:
        """A checkpoint was loaded; the server is told in a moment."""
        session = self._session
        if session is not None:
            session.look_again(facts_may_differ=False)

    def _run(self, ready: threading.Event) -> None:
        try:
            asyncio.run(self._live(ready))
        except Exception as thrown:
            reason = f"{type(thrown).__name__}: {thrown}"
            say(f"the connection with the server ended ({reason}); reload the UI to have it again")
        finally:
            ready.set()

    async def _live(self, ready: threading.Event) -> None:
        stopping = asyncio.Event()
        self._loop, self._stopping = asyncio.get_running_loop(), stopping
        ready.set()
        stop = asyncio.ensure_future(stopping.wait())
        attempt = 0
        while not stopping.is_set():
            visit = asyncio.ensure_future(self._visit())
            await asyncio.wait([visit, stop], return_when=asyncio.FIRST_COMPLETED)
            if not visit.done():
                visit.cancel()
            outcome = (await asyncio.gather(visit, return_exceptions=True))[0]
            pause, attempt = self._pause_after(outcome, attempt)
            await asyncio.wait([stop], timeout=pause)

    def _pause_after(self, outcome: Any, attempt: int) -> tuple[float, int]:
        """Seconds until the next visit, and how many visits in a row have failed."""
        refusal = _refusal(outcome)
        if refusal is not None:
            if refusal != self._told:
                say(f"the server refuses this WebUI: {refusal}")
            self._told = refusal
            return REFUSED_SECONDS, 0
        own_trouble = _own_trouble(outcome)
        if own_trouble is not None and own_trouble != self._told:
            say(f"the server can't be told about this WebUI ({own_trouble}); it is tried again")
            self._told = own_trouble
        if self._greeted:
            self._greeted, attempt = False, 0
        return RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)], attempt + 1

    async def _visit(self) -> None:
        """Stays as long as the server is there; returns at once while there is none. Raises what ended it."""
        address = self._address()
        if address is None:
            return
        port, secret = address
        async with await _connect(f"ws://127.0.0.1:{port}/host", secret) as socket:
            session = HostSession(socket)
            self._session, self._greeted = session, True
            try:
                await session.serve()
            finally:
                self._session = None


async def _connect(uri: str, secret: str) -> Any:
    """A connect object of either generation of the websockets library (10 to 16); never through a proxy."""
    import websockets

    parameters = inspect.signature(websockets.connect.__init__).parameters
    headers = "additional_headers" if "additional_headers" in parameters else "extra_headers"
    options: dict[str, Any] = {headers: {"Authorization": f"Bearer {secret}"}}
    if "proxy" in parameters:
        options["proxy"] = None
    return websockets.connect(
        uri,
        max_size=MAX_MESSAGE_BYTES,
        open_timeout=CONNECT_SECONDS,
        close_timeout=1,
        ping_interval=HEART_BEAT_SECONDS,
        ping_timeout=HEART_BEAT_SECONDS,
        logger=socket_log(),
        **options,
    )


def _refusal(outcome: Any) -> str | None:
    """The server's reason when it closed the socket for good."""
    received = getattr(outcome, "rcvd", None)
    return str(received.reason) if received is not None and received.code in REFUSALS else None


def _own_trouble(outcome: Any) -> str | None:
    """What the WebUI's own parts raised; a server that is gone or busy is no trouble and comes back by itself."""
    is_the_sockets = isinstance(outcome, OSError) or type(outcome).__module__.split(".")[0] in ("websockets", "asyncio")
    return f"{type(outcome).__name__}: {outcome}" if isinstance(outcome, Exception) and not is_the_sockets else None
