"""Reload UI: as quick as without us, whatever is under way, and the server stays."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import threading
from collections.abc import Iterator

import pytest
from raw_socket import ClosedByServer
from running_webui import RunningWebui, descendants_of, peak_kilobytes_of, wait_for

MEGABYTE = 1024 * 1024


def test_reload_ui_takes_less_than_a_second_with_an_open_socket_and_a_stalled_upload(
    open_webui: RunningWebui, token: dict[str, str], page: dict[str, str]
) -> None:
    server = open_webui.server()["pid"]
    with open_webui.socket(page) as socket_, socket.create_connection(("127.0.0.1", open_webui.port)) as stalled:
        socket_.receive()
        head = ["PUT /train-lora/api/uploads/slow/a.bin HTTP/1.1", f"Host: 127.0.0.1:{open_webui.port}"]
        head += ["Content-Length: 9999999", f"X-Train-Lora-Token: {token['X-Train-Lora-Token']}", "", ""]
        stalled.sendall("\r\n".join(head).encode() + b"x" * 1000)
        wait_for(lambda: (open_webui.home / "uploads" / "slow" / "a.bin.part").exists())
        open_webui.command("reload")
        assert open_webui.expect("closedIn")["closedIn"] < 1
        with pytest.raises(ClosedByServer) as closed:
            while True:
                socket_.receive()
        assert closed.value.code == 1012
    open_webui.expect("ready")
    assert open_webui.request("GET", "/train-lora/api/server", token).json()["pid"] == server
    wait_for(lambda: not (open_webui.home / "uploads" / "slow" / "a.bin.part").exists())


def test_reload_ui_takes_less_than_a_second_in_the_middle_of_a_big_upload_and_leaves_nothing_of_it(
    open_webui: RunningWebui, token: dict[str, str], page: dict[str, str]
) -> None:
    server, before = open_webui.server()["pid"], peak_kilobytes_of(open_webui.process.pid)
    part = open_webui.home / "uploads" / "live" / "a.bin.part"
    ended = threading.Event()

    def send() -> None:
        headers = {**token, "Content-Length": str(4000 * MEGABYTE)}
        with contextlib.suppress(OSError, http.client.HTTPException):
            open_webui.request("PUT", "/train-lora/api/uploads/live/a.bin", headers, _random_megabytes(4000))
        ended.set()

    with open_webui.socket(page) as socket_:
        socket_.receive()
        threading.Thread(target=send, daemon=True).start()
        wait_for(lambda: part.exists() and part.stat().st_size > 50 * MEGABYTE)
        open_webui.command("reload")
        assert open_webui.expect("closedIn")["closedIn"] < 1
    open_webui.expect("ready")
    assert ended.wait(5)
    wait_for(lambda: not part.exists())
    assert open_webui.server()["pid"] == server
    assert [pid for pid, arguments in descendants_of(open_webui.process.pid) if "main.js" in arguments] == [server]
    assert (peak_kilobytes_of(open_webui.process.pid) - before) * 1024 < 60 * MEGABYTE


def _random_megabytes(count: int) -> Iterator[bytes]:
    chunk = os.urandom(MEGABYTE)
    return (chunk for _ in range(count))
