"""The keeper of the server: starts, finds, brings back, replaces."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_webui import end_process, is_alive, wait_for
from train_lora_webui.server_address import ServerAddress
from train_lora_webui.server_process import ServerProcess
from train_lora_webui.spawn_server import Launch

ROOT = Path(__file__).resolve().parents[2]


def node() -> Path | None:
    found = shutil.which("node")
    return Path(found) if found else None


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    home = tmp_path / "train-lora"
    yield Launch(home=home, lora_dir=tmp_path / "models" / "Lora", repository=ROOT, node=node)
    if (home / "server.json").is_file():
        end_process(int(json.loads((home / "server.json").read_text("utf-8"))["pid"]))


def started(keeper: ServerProcess, besides: int = 0) -> ServerAddress:
    keeper.start()
    wait_for(lambda: keeper.state().state == "failed" or (keeper.address() or none).pid not in (0, besides))
    address = keeper.address()
    assert address is not None, keeper.state().message
    return address


none = ServerAddress(0, "", 0)


def test_a_webui_that_comes_back_finds_the_server_that_went_on(launch: Launch) -> None:
    first = started(ServerProcess(launch))
    assert started(ServerProcess(launch)) == first
    quiet = ServerProcess(launch)
    assert quiet.address() is None
    quiet.look()
    assert quiet.address() == first


def test_two_webuis_that_start_at_once_share_one_server(launch: Launch) -> None:
    keepers = [ServerProcess(launch), ServerProcess(launch)]
    for keeper in keepers:
        keeper.start()
    assert started(keepers[0]) == started(keepers[1])


def test_a_server_that_crashed_is_started_again(launch: Launch) -> None:
    keeper = ServerProcess(launch)
    old = started(keeper)
    os.kill(old.pid, signal.SIGKILL)
    assert started(keeper, besides=old.pid).pid != old.pid


def test_a_server_that_left_by_itself_is_not_called_back_before_somebody_wants_it(launch: Launch) -> None:
    keeper = ServerProcess(launch)
    old = started(keeper)
    assert keeper.make_room() is None
    wait_for(lambda: keeper.state().state == "stopped")
    assert not is_alive(old.pid)
    assert started(keeper).pid != old.pid


def test_an_idle_server_from_before_an_update_makes_room_for_the_new_one(launch: Launch) -> None:
    old = started(ServerProcess(launch))
    before_the_build = (ROOT / "dist" / "server" / "main.js").stat().st_mtime - 10
    os.utime(launch.home / "server.json", (before_the_build, before_the_build))
    assert started(ServerProcess(launch)).pid != old.pid


def test_a_taken_port_is_told_in_a_sentence_and_may_be_tried_again(launch: Launch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        keeper = ServerProcess(Launch(**{**vars(launch), "port": taken.getsockname()[1]}))
        keeper.start()
        wait_for(lambda: keeper.state().state == "failed")
        said = keeper.state().message
        assert said.startswith(f"The port {taken.getsockname()[1]} is taken by another program.")
        assert "with --train-lora-port," in said
        port = taken.getsockname()[1]
    assert started(keeper).port == port


def test_without_node_or_a_build_the_sentence_says_what_to_do(launch: Launch, tmp_path: Path) -> None:
    for change, word in (({"node": lambda: None}, "Node 20.19"), ({"repository": tmp_path}, "not built")):
        keeper = ServerProcess(Launch(**{**vars(launch), **change}))
        keeper.start()
        wait_for(lambda keeper=keeper: keeper.state().state == "failed")
        assert word in keeper.state().message


def test_a_crashed_servers_secret_is_not_shown_to_whoever_has_its_port_now(launch: Launch) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    launch.home.mkdir()
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        left = {"pid": ended.pid, "port": port, "secret": "s" * 32}
        (launch.home / "server.json").write_text(json.dumps(left), "utf-8")
        assert started(ServerProcess(launch)).port != port
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.accept()


def test_starting_and_looking_never_wait(launch: Launch) -> None:
    began = time.monotonic()
    keeper = ServerProcess(launch)
    keeper.start()
    keeper.state()
    keeper.address()
    assert time.monotonic() - began < 0.2
    started(keeper)
