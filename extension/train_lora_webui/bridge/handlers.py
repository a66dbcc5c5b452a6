"""Answers of the WebUI to the server's requests (HostRequest → HostResultOf of the protocol)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

from .cancel import Cancel
from .checkpoints import list_checkpoints
from .failure import Failure
from .lease import Lease
from .loras import refresh_loras
from .paste_text import paste_text
from .queue_turn import CalledBack
from .render import render_cells
from .runs import set_runs
from .save_grid import save_grid


@dataclass
class Call:
    """
    One request under way. `tell` sends a HostMessage from any thread; `leases` belongs to the socket, by lease id.
    """

    request: dict[str, Any]
    tell: Callable[[dict[str, Any]], None]
    drop_socket: Callable[[str], None]
    leases: dict[str, Lease]
    cancel: Cancel = field(default_factory=Cancel)


def answer(call: Call) -> dict[str, Any]:
    """
    The result of a request; blocks as long as it takes, so it runs in a thread of its own. Raises Failure, or
    anything.
    """
    handler = _HANDLERS.get(str(call.request.get("type")))
    if handler is None:
        raise Failure(
            "bad_request", f'The WebUI does not know the request "{call.request.get("type")}". Update and restart it.'
        )
    missing = [name for name in _NEEDED.get(call.request["type"], ()) if name not in call.request]
    if missing:
        raise Failure("bad_request", f"The request {call.request['type']} lacks {', '.join(missing)}.")
    return handler(call)


def _list_checkpoints(_call: Call) -> dict[str, Any]:
    return list_checkpoints()


def _refresh_loras(call: Call) -> dict[str, Any]:
    return {"missing": refresh_loras(call.request["names"])}


def _lease_gpu(call: Call) -> dict[str, Any]:
    if any(lease.is_wanted() for lease in call.leases.values()):
        raise Failure(
            "webui_busy", "The GPU is leased already, or the queue is being waited for. Release that lease first."
        )
    lease = Lease(call.tell, call.drop_socket)
    call.leases[lease.id] = lease
    call.cancel.on_set(lease.release)
    lease.start()
    lease.settled.wait()
    if lease.failure is None and not call.cancel.is_set():
        return {"lease": lease.id, "freedMb": lease.freed_mb}
    lease.release()
    lease.ended.wait()
    call.leases.pop(lease.id, None)
    raise lease.failure or CalledBack()


def _release_gpu(call: Call) -> dict[str, Any]:
    lease = call.leases.get(call.request["lease"])
    if lease is not None:
        lease.release()
        lease.ended.wait()
        call.leases.pop(lease.id, None)
    return {}


def _render_cells(call: Call) -> dict[str, Any]:
    return {"drawn": render_cells(call.request, call.cancel, call.tell)}


def _save_grid(call: Call) -> dict[str, Any]:
    return {"file": save_grid(call.request)}


def _paste_text(call: Call) -> dict[str, Any]:
    return {"text": paste_text(call.request)}


def _set_runs(call: Call) -> dict[str, Any]:
    set_runs(call.request["runs"])
    return {}


_HANDLERS: dict[str, Callable[[Call], dict[str, Any]]] = {
    "listCheckpoints": _list_checkpoints,
    "refreshLoras": _refresh_loras,
    "leaseGpu": _lease_gpu,
    "releaseGpu": _release_gpu,
    "renderCells": _render_cells,
    "saveGrid": _save_grid,
    "pasteText": _paste_text,
    "setRuns": _set_runs,
}

_NEEDED: dict[str, tuple[str, ...]] = {
    "refreshLoras": ("names",),
    "releaseGpu": ("lease",),
    "renderCells": ("id", "settings", "cells", "outDir", "title"),
    "saveGrid": ("sheet", "infotext"),
    "pasteText": ("settings", "prompt", "seed", "loras", "weights"),
    "setRuns": ("runs",),
}
