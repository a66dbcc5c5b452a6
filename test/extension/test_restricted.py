"""Reachable from outside without a login, and with --api-auth: the modules are those of a WebUI before 1.8."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from raw_socket import ClosedByServer
from running_webui import RunningWebui, running_webui


@pytest.fixture(scope="module")
def webui(gradio: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWebui]:
    flags = ("--listen", "--api-auth", "bot:secret", "--train-lora-no-autostart", "--aged")
    with running_webui(gradio, tmp_path_factory.mktemp(f"restricted-{gradio}"), *flags) as running:
        yield running


def test_a_stranger_may_look_but_not_change(webui: RunningWebui) -> None:
    token = {"X-Train-Lora-Token": webui.page_token()}
    status = webui.request("GET", "/train-lora/status", token).json()
    assert status["access"] == {"level": "restricted", "reason": "openToOthers", "hideFolders": True}
    assert webui.request("POST", "/train-lora/session", token).status == 204
    for method, path in (
        ("POST", "/train-lora/start"),
        ("POST", "/train-lora/setup/start"),
        ("POST", "/train-lora/setup/cancel"),
        ("PUT", "/train-lora/api/uploads/u/a.png"),
        ("DELETE", "/train-lora/api/anything"),
    ):
        refused = webui.request(method, path, token, b"{}")
        assert refused.status == 403, path
        assert b"restricted" in refused.body
    assert str(webui.home).encode() not in webui.request("GET", "/train-lora/setup", token).body


def test_a_script_with_the_apis_password_may_do_everything(webui: RunningWebui) -> None:
    good = {"Authorization": "Basic " + base64.b64encode(b"bot:secret").decode()}
    assert webui.request("GET", "/train-lora/status", good).json()["access"]["level"] == "full"
    wrong = {"Authorization": "Basic " + base64.b64encode(b"bot:guess").decode()}
    assert webui.request("GET", "/train-lora/status", wrong).status == 401
    assert webui.request("GET", "/train-lora/status", {**good, "Origin": "http://evil.example"}).status == 403


def test_without_a_server_a_socket_is_told_to_try_again(webui: RunningWebui) -> None:
    offer = {"Origin": webui.origin, "Sec-WebSocket-Protocol": f"train-lora, train-lora.{webui.page_token()}"}
    with webui.socket(offer) as page, pytest.raises(ClosedByServer) as closed:
        page.receive()
    assert closed.value.code == 1013
    answer = webui.request("GET", "/train-lora/api/server", {"X-Train-Lora-Token": webui.page_token()})
    assert (answer.status, answer.json()["code"]) == (503, "server_missing")


def test_the_server_keeps_to_the_restriction_on_the_socket(webui: RunningWebui) -> None:
    webui.start_server()
    offer = {"Origin": webui.origin, "Sec-WebSocket-Protocol": f"train-lora, train-lora.{webui.page_token()}"}
    with webui.socket(offer) as page:
        page.receive()
        snapshot = json.loads(page.receive())["snapshot"]
        assert snapshot["access"]["level"] == "restricted"
        assert str(webui.home) not in json.dumps(snapshot)
        page.send(json.dumps({"id": 3, "type": "setTriggerWord", "dataset": "d", "triggerWord": "t"}))
        while (said := json.loads(page.receive())).get("id") != 3:
            pass
        assert said["failure"]["code"] == "restricted"


def test_the_tab_is_there_with_the_names_of_older_versions_too(webui: RunningWebui) -> None:
    config = webui.request("GET", "/config").body.decode()
    assert "train_lora_paste_button" in config
    assert "train_lora_failure" not in config
