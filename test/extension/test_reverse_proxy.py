"""A proxy in front of the WebUI, as nginx stands there: below a sub-path, by TLS, by the browser's name or its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from certificate import make_certificate
from entrance import Entrance
from reverse_proxy import reverse_proxy
from running_webui import RunningWebui


def test_below_a_sub_path_everything_comes_through(guarded_webui: RunningWebui, tmp_path: Path) -> None:
    own = make_certificate(tmp_path)
    cookie = guarded_webui.log_in("ann", "pass")
    guarded_webui.start_server(guarded_webui.page_headers(cookie))
    with reverse_proxy(guarded_webui.port, "/sd", tls=own.shown()) as proxy:
        outside = Entrance(proxy.port, "/sd", own.trusted())
        cookie = outside.log_in("ann", "pass")
        page = outside.page_headers(cookie)
        assert outside.request("GET", "/train-lora/status", page).json()["access"]["level"] == "full"
        assert b"train-lora-app" in outside.request("GET", "/train-lora/ui/train-lora.js", page).body
        traded = outside.request("POST", "/train-lora/session", page)
        # Without a path the browser puts the proxy's own before it, and its TLS is what counts.
        line = traded.cookie_lines[0].lower()
        assert "path=" not in line and "secure" in line
        assert outside.request("PUT", "/train-lora/api/uploads/p/a%2Fb.txt", page, b"x" * 100_000).status == 201
        with outside.socket(outside.page_offer(cookie)) as socket:
            assert socket.status == 101
            assert json.loads(socket.receive())["type"] == "hello"
            socket.send(json.dumps({"id": 7, "type": "scanDataset", "dataset": "none"}))
            while (said := json.loads(socket.receive())).get("id") != 7:
                pass
            assert said["type"] == "failure"
        with outside.socket({**outside.page_offer(cookie), "Origin": "https://evil.example"}) as refused:
            assert refused.status == 403


def test_a_sub_path_that_the_proxy_keeps_is_nobodys(guarded_webui: RunningWebui) -> None:
    """The WebUI wants it taken away, and has no page of its own there either."""
    with reverse_proxy(guarded_webui.port, "/sd", strips=False) as proxy:
        outside = Entrance(proxy.port, "/sd")
        assert outside.request("GET", "/config").status == 404
        assert outside.request("GET", "/train-lora/status").status == 404


@pytest.mark.parametrize(
    "path", ["/sd/train-lora/api/../../train-lora/api/shutdown", "/sd/train-lora/api/x%2f..%2fshutdown"]
)
def test_no_road_around_the_door_opens_below_a_sub_path(guarded_webui: RunningWebui, path: str) -> None:
    page = guarded_webui.page_headers(guarded_webui.log_in("ann", "pass"))
    with reverse_proxy(guarded_webui.port, "/sd") as proxy:
        assert Entrance(proxy.port).request("POST", path, page).status in (403, 404, 405)


def test_a_proxy_that_asks_by_its_own_name_is_told_what_to_do(open_webui: RunningWebui) -> None:
    """nginx's default. Only the owner can say that the browser's name is this WebUI's too."""
    with reverse_proxy(open_webui.port, host=f"127.0.0.1:{open_webui.port}") as proxy:
        outside = Entrance(proxy.port)
        page = outside.page_headers()
        assert outside.request("GET", "/train-lora/status", {**page, "Origin": ""}).status == 200
        refused = outside.request("POST", "/train-lora/session", page)
        assert refused.status == 403 and "Settings → Train LoRA" in refused.json()["message"]
        with outside.socket(outside.page_offer()) as socket:
            assert socket.status == 403
        open_webui.set_option("train_lora_other_hosts", "127.0.0.1")
        try:
            assert outside.request("POST", "/train-lora/session", page).status == 204
            with outside.socket(outside.page_offer()) as socket:
                assert socket.status == 101
        finally:
            open_webui.set_option("train_lora_other_hosts", "")


def test_a_proxy_that_passes_on_no_upgrade_is_told_what_is_missing(open_webui: RunningWebui) -> None:
    page = {"X-Train-Lora-Token": open_webui.page_token()}
    answer = open_webui.request("GET", "/train-lora/ws", page)
    assert answer.status == 426 and "Upgrade and Connection" in answer.json()["message"]
    assert open_webui.request("GET", "/train-lora/ws").status == 401


def test_a_proxy_that_passes_on_the_name_without_its_port_is_fine(guarded_webui: RunningWebui) -> None:
    with reverse_proxy(guarded_webui.port, "/sd", host="127.0.0.1") as proxy:
        outside = Entrance(proxy.port, "/sd")
        cookie = outside.log_in("ann", "pass")
        assert outside.request("POST", "/train-lora/session", outside.page_headers(cookie)).status == 204
        with outside.socket(outside.page_offer(cookie)) as socket:
            assert socket.status == 101
        token = {**outside.page_headers(cookie), "X-Train-Lora-Token": "made-up"}
        assert outside.request("POST", "/train-lora/session", token).status == 403


def test_a_proxy_of_another_name_before_a_webui_without_a_login_is_told_what_to_do(open_webui: RunningWebui) -> None:
    with reverse_proxy(open_webui.port, host="sd.example.org") as proxy:
        outside = Entrance(proxy.port)
        refused = outside.request("GET", "/train-lora/status", {"X-Train-Lora-Token": outside.page_token()})
        assert refused.status == 403 and 'asked for "sd.example.org"' in refused.json()["message"]
