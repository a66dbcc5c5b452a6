"""The WebUI's end, in the two ways in which none of its own code runs any more."""

from __future__ import annotations

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
