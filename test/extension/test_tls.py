"""--tls-certfile, --share, --gradio-auth, --no-gradio-queue and --freeze-settings, all at once."""

from __future__ import annotations

import json

from running_webui import RunningWebui

TUNNEL = {"Host": "0123abcd.gradio.live", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}


def test_the_page_and_its_socket_come_by_tls(tls_webui: RunningWebui) -> None:
    cookie = tls_webui.log_in("ann", "pass")
    page = tls_webui.page_headers(cookie)
    assert tls_webui.request("GET", "/train-lora/status", page).json()["access"]["level"] == "full"
    assert b"train-lora-app" in tls_webui.request("GET", "/train-lora/ui/train-lora.js", page).body
    with tls_webui.socket(tls_webui.page_offer(cookie)) as socket:
        assert socket.status == 101
        assert json.loads(socket.receive())["type"] == "hello"
    with tls_webui.socket({**tls_webui.page_offer(cookie), "Origin": f"http://127.0.0.1:{tls_webui.port}x"}) as refused:
        assert refused.status == 403


def test_its_cookie_is_for_tls_only(tls_webui: RunningWebui) -> None:
    page = tls_webui.page_headers(tls_webui.log_in("ann", "pass"))
    line = tls_webui.request("POST", "/train-lora/session", page).cookie_lines[0].lower()
    assert "secure" in line and "httponly" in line and "samesite=strict" in line


def test_a_share_links_name_is_the_pages_own(tls_webui: RunningWebui) -> None:
    cookie = tls_webui.log_in("ann", "pass")
    page = {**tls_webui.page_headers(cookie), **TUNNEL, "Origin": "https://0123abcd.gradio.live"}
    assert tls_webui.request("POST", "/train-lora/session", page).status == 204
    assert tls_webui.request("GET", "/train-lora/api/server", page).status == 200
    offer = {**tls_webui.page_offer(cookie), **TUNNEL, "Origin": "https://0123abcd.gradio.live"}
    with tls_webui.socket(offer) as socket:
        assert socket.status == 101
    for origin in ("https://evil.gradio.live", "https://0123abcd.gradio.live.evil.example", "null"):
        assert tls_webui.request("POST", "/train-lora/session", {**page, "Origin": origin}).status == 403
        with tls_webui.socket({**offer, "Origin": origin}) as refused:
            assert refused.status == 403


def test_a_forwarded_name_of_somebody_elses_making_proves_nothing(tls_webui: RunningWebui) -> None:
    page = tls_webui.page_headers(tls_webui.log_in("ann", "pass"))
    claimed = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "Origin": "https://evil.example"}
    assert tls_webui.request("POST", "/train-lora/session", {**page, **claimed}).status == 403


def test_a_shared_webui_lets_nobody_in_without_the_login(tls_webui: RunningWebui) -> None:
    token = tls_webui.page_token(tls_webui.log_in("ann", "pass"))
    stranger = {**TUNNEL, "Origin": "https://0123abcd.gradio.live", "X-Train-Lora-Token": token}
    assert tls_webui.request("GET", "/train-lora/status", stranger).status == 401


def test_frozen_settings_are_no_trouble_at_the_start(tls_webui: RunningWebui) -> None:
    assert (
        "train_lora_failure" not in tls_webui.request("GET", "/config", tls_webui.log_in("ann", "pass")).body.decode()
    )
    assert "***" not in (tls_webui.home.parent / "webui.log").read_text("utf-8")
