"""WebUIs that lack something: their page, their paste, what our tab is built of."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from running_webui import RunningWebui, running_webui, wait_for

BOT = {"Authorization": "Basic " + base64.b64encode(b"bot:secret").decode()}


def test_without_a_page_the_api_alone_leads_in(gradio: str, tmp_path: Path) -> None:
    with running_webui(gradio, tmp_path, "--nowebui", "--api-auth", "bot:secret") as webui:
        assert webui.request("GET", "/train-lora/status").status == 401
        assert webui.request("GET", "/train-lora/status", BOT).json()["access"]["level"] == "full"
        webui.start_server(BOT)
        with webui.socket(BOT) as socket:
            assert socket.status == 101
            assert json.loads(socket.receive())["type"] == "hello"
        with webui.socket({}) as refused:
            assert refused.status == 403
        assert "***" not in log_of(webui)


def test_without_a_page_and_a_password_nobody_gets_in(gradio: str, tmp_path: Path) -> None:
    with running_webui(gradio, tmp_path, "--nowebui") as webui:
        for headers in ({}, BOT, {"X-Train-Lora-Token": ""}, {"Cookie": f"train-lora-webui-{webui.port}="}):
            assert webui.request("GET", "/train-lora/status", headers).status == 401
            with webui.socket(headers) as refused:
                assert refused.status == 403


def test_a_tab_that_can_not_be_built_shows_why(gradio: str, tmp_path: Path) -> None:
    with running_webui(gradio, tmp_path, "--broken", "gradio") as webui:
        config = webui.request("GET", "/config").body.decode()
        assert "train_lora_failure" in config and "this gradio has no &lt;button&gt;" in config
        assert "tab_train_lora" in config and "tab_txt2img" in config


def test_a_webui_without_the_paste_keeps_the_tab(gradio: str, tmp_path: Path) -> None:
    with running_webui(gradio, tmp_path, "--broken", "paste") as webui:
        assert "train_lora_failure" not in webui.request("GET", "/config").body.decode()
        assert webui.request("GET", "/train-lora/status", webui.page_headers()).status == 200


def test_the_bridge_tells_the_server_of_this_gradio(
    gradio: str, open_webui: RunningWebui, page: dict[str, str]
) -> None:
    """The host's own socket, by the websockets library that this gradio brings."""

    def host() -> object:
        with open_webui.socket(page) as socket:
            socket.receive()
            return json.loads(socket.receive())["snapshot"]["host"]

    version = {"gradio3": "3.41.2", "gradio4": "4.40.0"}[gradio]
    wait_for(lambda: f'"gradioVersion": "{version}"' in json.dumps(host()))


def test_our_routes_change_nothing_about_how_the_webui_answers(open_webui: RunningWebui) -> None:
    before, after = open_webui.facts["middlewares"]
    assert before == after > 0


def log_of(webui: RunningWebui) -> str:
    return (webui.home.parent / "webui.log").read_text("utf-8")
