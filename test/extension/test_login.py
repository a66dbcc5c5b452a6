"""--gradio-auth, as both lines of gradio do it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from running_webui import RunningWebui, running_webui


@pytest.fixture(scope="module")
def webui(gradio: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWebui]:
    flags = ("--gradio-auth", "ann:pass", "--hide-ui-dir-config", "--subpath", "sd")
    with running_webui(gradio, tmp_path_factory.mktemp(f"login-{gradio}"), *flags) as running:
        yield running


def test_the_token_is_given_after_the_login_only(webui: RunningWebui) -> None:
    for path in ("/", "/config"):
        assert b"data-token" not in webui.request("GET", path).body
    cookie = webui.log_in("ann", "pass")
    assert len(webui.page_token(cookie)) > 30


def test_without_the_login_the_token_is_worth_nothing(webui: RunningWebui) -> None:
    cookie = webui.log_in("ann", "pass")
    token = {"X-Train-Lora-Token": webui.page_token(cookie)}
    assert webui.request("GET", "/train-lora/status", token).status == 401
    assert webui.request("GET", "/train-lora/setup", token).status == 401
    assert webui.request("GET", "/train-lora/status", cookie).status == 401
    both = webui.request("GET", "/train-lora/status", {**token, **cookie})
    assert both.status == 200
    assert both.json()["access"] == {"level": "full", "reason": "none", "hideFolders": True}
    made_up = {
        name: "; ".join(f"{pair.split('=')[0]}=made-up" for pair in value.split("; ")) for name, value in cookie.items()
    }
    assert webui.request("GET", "/train-lora/status", {**token, **made_up}).status == 401


def test_a_socket_wants_the_login_too(webui: RunningWebui) -> None:
    cookie = webui.log_in("ann", "pass")
    offer = {"Origin": webui.origin, "Sec-WebSocket-Protocol": f"train-lora, train-lora.{webui.page_token(cookie)}"}
    with webui.socket(offer) as refused:
        assert refused.status == 403
    with webui.socket({**offer, **cookie, "Origin": "http://evil.example"}) as refused:
        assert refused.status == 403
    with webui.socket({**offer, **cookie}) as accepted:
        assert accepted.status == 101


def test_a_proxys_own_name_is_fine_for_who_has_logged_in(webui: RunningWebui) -> None:
    cookie = webui.log_in("ann", "pass")
    token = {"X-Train-Lora-Token": webui.page_token(cookie)}
    outside = {"Host": "sd.example.org", "Origin": "https://sd.example.org"}
    assert webui.request("GET", "/train-lora/status", {**token, **cookie, **outside}).status == 200
    assert webui.request("GET", "/train-lora/status", {**token, **outside}).status == 403
