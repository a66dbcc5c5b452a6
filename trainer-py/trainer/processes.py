"""A run's own further processes on this machine, one for each GPU that numProcesses asks for."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from trainer.events import emit
from trainer.ranks import gone

_FOLLOWS = "TRAIN_LORA_FOLLOWS"
_LOOK_SECONDS = 0.2
# As long as the usual way of noticing may take; a GPU that waits for another one can't be called back at all.
_GRACE_SECONDS = 20.0


class Processes:
    """The processes that this one has started: they end with it, and it with them."""

    def __init__(self, children: Sequence["subprocess.Popen[bytes]"] = ()) -> None:
        self._children = children
        self._is_over = False
        if children:
            threading.Thread(target=self._watch, name="processes", daemon=True).start()

    def end(self) -> None:
        """Wait until all have gone, and end those that don't."""
        self._is_over = True
        until = time.monotonic() + _GRACE_SECONDS
        for child in self._children:
            try:
                child.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()

    def _watch(self) -> None:
        while not self._is_over and not any(child.poll() for child in self._children):
            time.sleep(_LOOK_SECONDS)
        time.sleep(_GRACE_SECONDS)
        if self._is_over:
            return
        failure = gone(len(self._children) + 1)
        emit({"type": "failed", "code": failure.code, "message": failure.message})
        for child in self._children:
            child.kill()
        os._exit(1)


def start_processes(arguments: Sequence[str], count: int) -> Processes:
    """Start `python -m trainer ARGUMENTS` `count` − 1 times beside this process, which becomes the first of them.

    Where torchrun or accelerate has started this process, they have started the others as well.
    """
    if count == 1 or "RANK" in os.environ:
        return Processes()
    threads = max(1, (os.cpu_count() or 1) // count)
    shared = {
        "WORLD_SIZE": str(count),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(threads)),
        # What a machine calls itself need not lead to it.
        **({"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}),
    }
    os.environ.update(shared, RANK="0", LOCAL_RANK="0")
    return Processes([_start(arguments, rank) for rank in range(1, count)])


def leave_with_parent() -> None:
    """End this process, in one way or another, when the one that has started it is gone."""
    if os.environ.get(_FOLLOWS):
        threading.Thread(target=_wait_for_end, name="parent", daemon=True).start()


def _start(arguments: Sequence[str], rank: int) -> "subprocess.Popen[bytes]":
    folder = str(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH", "")]))
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "trainer", *arguments],
        # Never written to: its end tells that this process is gone.
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path, "RANK": str(rank), "LOCAL_RANK": str(rank), _FOLLOWS: "1"},
    )


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for_end() -> None:
    while os.read(0, 4096):
        pass
    time.sleep(_GRACE_SECONDS)
    os._exit(1)
