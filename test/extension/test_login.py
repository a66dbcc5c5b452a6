"""--gradio-auth, as both lines of gradio do it."""

from __future__ import annotations

from running_webui import RunningWebui


def test_the_token_is_given_after_the_login_only(guarded_webui: RunningWebui) -> None:
    for path in ("/", "/config"):
        assert b"data-token" not in guarded_webui.request("GET", path).body
    cookie = guarded_webui.log_in("ann", "pass")
    assert len(guarded_webui.page_token(cookie)) > 30


def test_without_the_login_the_token_is_worth_nothing(guarded_webui: RunningWebui) -> None:
    cookie = guarded_webui.log_in("ann", "pass")
    token = {"X-Train-Lora-Token": guarded_webui.page_token(cookie)}
    assert guarded_webui.request("GET", "/train-lora/status", token).status == 401
    assert guarded_webui.request("GET", "/train-lora/setup", token).status == 401
    assert guarded_webui.request("GET", "/train-lora/status", cookie).status == 401
    both = guarded_webui.request("GET", "/train-lora/status", {**token, **cookie})
    assert both.status == 200
    assert both.json()["access"] == {"level": "full", "reason": "none", "hideFolders": True}
    made_up = {
        name: "; ".join(f"{pair.split('=')[0]}=made-up" for pair in value.split("; ")) for name, value in cookie.items()
    }
    assert guarded_webui.request("GET", "/train-lora/status", {**token, **made_up}).status == 401


def test_a_socket_wants_the_login_too(guarded_webui: RunningWebui) -> None:
    cookie = guarded_webui.log_in("ann", "pass")
    offer = {
        "Origin": guarded_webui.origin,
        "Sec-WebSocket-Protocol": f"train-lora, train-lora.{guarded_webui.page_token(cookie)}",
    }
    with guarded_webui.socket(offer) as refused:
        assert refused.status == 403
    with guarded_webui.socket({**offer, **cookie, "Origin": "http://evil.example"}) as refused:
        assert refused.status == 403
    with guarded_webui.socket({**offer, **cookie}) as accepted:
        assert accepted.status == 101


def test_a_proxys_own_name_is_fine_for_who_has_logged_in(guarded_webui: RunningWebui) -> None:
    cookie = guarded_webui.log_in("ann", "pass")
    token = {"X-Train-Lora-Token": guarded_webui.page_token(cookie)}
    outside = {"Host": "sd.example.org", "Origin": "https://sd.example.org"}
    assert guarded_webui.request("GET", "/train-lora/status", {**token, **cookie, **outside}).status == 200
    assert guarded_webui.request("GET", "/train-lora/status", {**token, **outside}).status == 403


def test_a_wrong_password_and_an_unknown_user_get_no_cookie(guarded_webui: RunningWebui) -> None:
    for name, password in (("ann", "guess"), ("bob", "pass"), ("", "")):
        answer = guarded_webui.send_login(name, password)
        assert answer.status in (400, 422) and not answer.cookies


def test_either_of_the_two_login_cookies_is_enough_and_a_foreign_name_is_none(guarded_webui: RunningWebui) -> None:
    cookie = guarded_webui.log_in("ann", "pass")
    token = {"X-Train-Lora-Token": guarded_webui.page_token(cookie)}
    pairs = dict(pair.split("=", 1) for pair in cookie["Cookie"].split("; "))
    assert len(pairs) == 2
    for name, value in pairs.items():
        assert guarded_webui.request("GET", "/train-lora/status", {**token, "Cookie": f"{name}={value}"}).status == 200
        foreign = f"{name}-7860={value}; x{name}={value}"
        assert guarded_webui.request("GET", "/train-lora/status", {**token, "Cookie": foreign}).status == 401


def test_who_has_logged_out_is_out_of_ours_too(guarded_webui: RunningWebui) -> None:
    """gradio 3 has no way out but "Reload UI", which forgets every login; gradio 4 has one."""
    cookie = guarded_webui.log_in("ann", "pass")
    page, offer = guarded_webui.page_headers(cookie), guarded_webui.page_offer(cookie)
    traded = guarded_webui.request("POST", "/train-lora/session", page)
    kept = {"Cookie": "; ".join(f"{name}={value}" for name, value in traded.cookies.items())}
    if guarded_webui.request("GET", "/logout", cookie).status == 404:
        guarded_webui.command("reload")
        guarded_webui.expect("ready")
    assert guarded_webui.request("GET", "/train-lora/status", page).status == 401
    assert guarded_webui.request("GET", "/train-lora/status", kept).status == 401
    with guarded_webui.socket(offer) as refused:
        assert refused.status == 403
    said = guarded_webui.request("GET", "/train-lora/status", page).json()
    assert said["code"] == "unauthorized" and "log in again" in said["message"]
    assert (
        guarded_webui.request(
            "GET", "/train-lora/status", guarded_webui.page_headers(guarded_webui.log_in("ann", "pass"))
        ).status
        == 200
    )
