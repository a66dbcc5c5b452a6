"""A WebUI on this machine, without a login: what other pages, other names and crooked paths get."""

from __future__ import annotations

import pytest
from running_webui import RunningWebui, running_webui


def test_a_rebound_name_and_a_foreign_page_are_refused(open_webui: RunningWebui, token: dict[str, str]) -> None:
    port = open_webui.port
    assert open_webui.request("GET", "/train-lora/status", {**token, "Host": f"evil.example:{port}"}).status == 403
    assert open_webui.request("GET", "/train-lora/status", {**token, "Origin": "http://evil.example"}).status == 403
    assert open_webui.request("GET", "/train-lora/status", {**token, "Host": f"localhost:{port}"}).status == 200
    secret = {"Sec-WebSocket-Protocol": f"train-lora, train-lora.{token['X-Train-Lora-Token']}"}
    for headers in (
        {**secret, "Origin": "http://evil.example"},
        {**secret, "Origin": "null"},
        {**secret, "Origin": f"http://evil.example:{port}", "Host": f"evil.example:{port}"},
        {"Origin": open_webui.origin},
        {"Origin": open_webui.origin, "Sec-WebSocket-Protocol": "train-lora, train-lora.wrong"},
        {},
    ):
        with open_webui.socket(headers) as refused:
            assert refused.status == 403, headers


@pytest.mark.parametrize(
    "path",
    [
        "/train-lora/api/session",
        "/train-lora/api/codes",
        "/train-lora/api/shutdown",
        "/train-lora/API/shutdown",
        "/train-lora/api/%73hutdown",
        "/train-lora/api/x/../shutdown",
        "/train-lora/api/x/%2e%2e/shutdown",
        "/train%2Dlora/api/server",
        "/train-lora/host",
    ],
)
def test_the_servers_own_ways_in_are_not_the_pages(open_webui: RunningWebui, token: dict[str, str], path: str) -> None:
    assert open_webui.request("POST", path, token).status in (404, 405)


def test_a_page_that_gradio_lets_in_from_anywhere_is_refused_by_us(guarded_webui: RunningWebui) -> None:
    """gradio 4 answers every foreign page's preflight with leave and cookies, as soon as the name is not localhost."""
    cookie = guarded_webui.log_in("ann", "pass")
    evil = {"Origin": "http://evil.example", "Host": "sd.example.org:7860"}
    asks = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-train-lora-token"}
    guarded_webui.request("OPTIONS", "/train-lora/api/uploads/u/a.png", {**evil, **asks})
    page = {**guarded_webui.page_headers(cookie), **evil}
    assert guarded_webui.request("PUT", "/train-lora/api/uploads/u/a.png", page, b"x").status == 403
    assert guarded_webui.request("GET", "/train-lora/status", page).status == 403


def test_a_page_that_the_owner_lets_in_is_let_in_by_us_too(
    gradio: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    flags = ("--cors-allow-origins", "https://mine.example", "--train-lora-no-autostart")
    with running_webui(gradio, tmp_path_factory.mktemp(f"cors-{gradio}"), *flags) as webui:
        page = {**webui.page_headers(), "Origin": "https://mine.example"}
        answer = webui.request("GET", "/train-lora/status", page)
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == "https://mine.example"
        assert webui.request("GET", "/train-lora/status", {**page, "Origin": "https://other.example"}).status == 403
