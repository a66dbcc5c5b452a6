"""One connection with the server: `hello`, then answers to its requests until the socket is lost."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any, Callable, TypeVar

from .cancel import Cancel
from .checkpoints import checkpoint_titles, list_checkpoints
from .facts import host_facts
from .failure import to_failure
from .handlers import Call, answer
from .lease import Lease
from .log import say

PROTOCOL_VERSION = 1
"""Of protocol/messages.ts."""

WATCH_SECONDS = 5.0
"""How often the list of checkpoints is looked at for changes."""

Result = TypeVar("Result")


class HostSession:
    """
    Lives as long as its socket. Whatever ends it, every request is called back and every lease given back.
    `socket` is a connection of the websockets library.
    """

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self._outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._look_again = asyncio.Event()
        self._facts_may_differ = False
        self._dropped: asyncio.Future[str] = self._loop.create_future()
        self._calls: dict[int, Call] = {}
        self._leases: dict[str, Lease] = {}

    async def serve(self) -> None:
        """Returns or raises when the socket is lost, or after `drop`."""
        facts = await in_thread(host_facts)
        await self._send({"type": "hello", "protocolVersion": PROTOCOL_VERSION, "facts": facts})
        tasks = [
            asyncio.ensure_future(work)
            for work in (self._hear(), self._speak(), self._watch(facts), self._wait_for_drop())
        ]
        try:
            done, _others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._end()
            for task in tasks:
                task.cancel()
            ended, _stuck = await asyncio.wait(tasks, timeout=1)
            for task in ended:
                # An exception that nobody asks for would be printed into the WebUI's console.
                _ = task.cancelled() or task.exception()

    def tell(self, message: dict[str, Any]) -> None:
        """Sends a HostMessage after those that were told before; from any thread, dropped when the loop is gone."""
        self._soon(self._outgoing.put_nowait, message)

    def drop(self, reason: str) -> None:
        """Ends the session from any thread."""
        self._soon(self._set_dropped, reason)

    def look_again(self, facts_may_differ: bool) -> None:
        """The checkpoints may have changed, or the facts of `hello`; from any thread."""
        self._soon(self._note_change, facts_may_differ)

    def _soon(self, function: Callable[..., Any], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            # The loop is closed: nobody is there to hear it.
            return

    async def _hear(self) -> None:
        async for text in self._socket:
            message = _parsed(text)
            if message is None:
                say("the server sent something that is no request; it is left out")
            elif message["type"] == "cancel":
                self._cancel(message)
            else:
                self._begin(message)

    async def _speak(self) -> None:
        while True:
            await self._send(await self._outgoing.get())

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send(json.dumps(message, ensure_ascii=False, allow_nan=False))

    async def _watch(self, told_facts: dict[str, Any]) -> None:
        titles = await in_thread(_titles)
        while True:
            hurried = await self._hurried(WATCH_SECONDS)
            if self._facts_may_differ and self._is_idle():
                self._facts_may_differ = False
                if await in_thread(host_facts) != told_facts and self._is_idle():
                    self.drop("the WebUI has other facts to tell")
            now = await in_thread(_titles)
            if (hurried or now != titles) and now is not None:
                titles = now
                self.tell({"type": "checkpoints", "checkpoints": await in_thread(list_checkpoints)})

    async def _hurried(self, seconds: float) -> bool:
        """True when told to look again. Without wait_for, which before Python 3.12 may swallow a cancellation."""
        waiter = asyncio.ensure_future(self._look_again.wait())
        try:
            done, _late = await asyncio.wait([waiter], timeout=seconds)
        finally:
            waiter.cancel()
        if not done:
            return False
        self._look_again.clear()
        # The WebUI tells of a loaded model a moment before it counts as the present one.
        await asyncio.sleep(0.5)
        return True

    async def _wait_for_drop(self) -> None:
        await self._dropped

    def _set_dropped(self, reason: str) -> None:
        if not self._dropped.done():
            self._dropped.set_result(reason)

    def _note_change(self, facts_may_differ: bool) -> None:
        self._facts_may_differ = self._facts_may_differ or facts_may_differ
        self._look_again.set()

    def _is_idle(self) -> bool:
        return not self._calls and not any(lease.is_wanted() for lease in self._leases.values())

    def _begin(self, request: dict[str, Any]) -> None:
        call = Call(request, self.tell, self.drop, self._leases, Cancel())
        self._calls[request["id"]] = call
        threading.Thread(target=self._answer, args=(call,), name=f"train-lora {request['type']}", daemon=True).start()

    def _answer(self, call: Call) -> None:
        identity = call.request["id"]
        try:
            self.tell({"type": "answer", "id": identity, "value": answer(call)})
        except BaseException as thrown:
            failure = to_failure(thrown, f"answering {call.request['type']}")
            self.tell({"type": "refusal", "id": identity, "failure": failure.as_json()})
        finally:
            self._soon(self._forget, identity)

    def _forget(self, identity: int) -> None:
        self._calls.pop(identity, None)

    def _cancel(self, message: dict[str, Any]) -> None:
        """A request that is answered already has left nothing behind but a lease, which `releaseGpu` ends."""
        call = self._calls.get(message.get("request", -1))
        if call is not None:
            threading.Thread(target=call.cancel.set, name="train-lora cancel", daemon=True).start()
        self.tell({"type": "answer", "id": message["id"], "value": {}})

    def _end(self) -> None:
        calls, leases = list(self._calls.values()), list(self._leases.values())

        def give_back() -> None:
            for call in calls:
                call.cancel.set()
            for lease in leases:
                lease.release()

        threading.Thread(target=give_back, name="train-lora end", daemon=True).start()


async def in_thread(work: Callable[[], Result]) -> Result:
    """Runs `work` in a thread of its own: those of an executor are joined at exit, which would hold up the WebUI's."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Result] = loop.create_future()

    def settle(set_outcome: Callable[[Any], None], value: Any) -> None:
        if not outcome.done():
            set_outcome(value)

    def run() -> None:
        try:
            arguments: tuple[Callable[[Any], None], Any] = (outcome.set_result, work())
        except Exception as thrown:
            arguments = (outcome.set_exception, thrown)
        try:
            loop.call_soon_threadsafe(settle, *arguments)
        except RuntimeError:
            # The loop was closed meanwhile.
            return

    threading.Thread(target=run, name="train-lora look", daemon=True).start()
    return await outcome


def _parsed(text: Any) -> dict[str, Any] | None:
    try:
        message = json.loads(text)
    except ValueError:
        return None
    is_request = (
        isinstance(message, dict) and isinstance(message.get("id"), int) and isinstance(message.get("type"), str)
    )
    return message if is_request else None


def _titles() -> tuple[str, ...] | None:
    try:
        return checkpoint_titles()
    except Exception:
        # Half way through "Reload UI" the WebUI's modules may be in pieces.
        return None
