"""The server's end and the WebUI's, in the ways in which none of their own code runs any more."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from raw_socket import ClosedByServer, RawSocket
from running_webui import RunningWebui, is_alive, running_webui, wait_for


def follow(webui: RunningWebui) -> RawSocket:
    """An open page, by which a server with an idle limit of no time stays."""
    for _attempt in range(5):
        webui.start_server()
        offer = {"Origin": webui.origin, "Sec-WebSocket-Protocol": f"train-lora, train-lora.{webui.page_token()}"}
        page = webui.socket(offer)
        try:
            page.receive()
            return page
        except ClosedByServer:
            # It had left just then, as nobody was there.
            continue
    raise AssertionError("no server stayed")


@pytest.mark.parametrize("end", ["exit", "kill"])
def test_no_server_is_left_when_the_webui_has_ended(gradio: str, tmp_path: Path, end: str) -> None:
    with running_webui(gradio, tmp_path, idle_exit=0) as webui, follow(webui):
        server = webui.server()["pid"]
        if end == "kill":
            webui.kill()
        else:
            webui.command("exit")
            webui.process.wait(10)
        wait_for(lambda: not is_alive(server), 15)
    assert not (webui.home / "server.json").exists()


def test_a_server_that_was_killed_comes_back_and_its_page_hears_to_try_again(
    open_webui: RunningWebui, token: dict[str, str], page: dict[str, str]
) -> None:
    with open_webui.socket(page) as socket_:
        socket_.receive()
        old = open_webui.server()["pid"]
        os.kill(old, signal.SIGKILL)
        began = time.monotonic()
        with pytest.raises(ClosedByServer) as closed:
            while True:
                socket_.receive()
        assert closed.value.code == 1013
        assert time.monotonic() - began < 1
    away = open_webui.request("GET", "/train-lora/api/server", token)
    if away.status != 200:
        assert (away.status, away.json()["code"]) == (503, "server_missing")
    wait_for(lambda: open_webui.request("GET", "/train-lora/api/server", token).status == 200)
    assert open_webui.server()["pid"] != old
