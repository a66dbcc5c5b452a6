from __future__ import annotations

import argparse
import base64
from dataclasses import replace

import pytest
from train_lora_webui.access import Access, Caller, Policy, Refusal, Secrets, accepted_protocol, judge, login_user
from train_lora_webui.flags import add_flags, is_reachable, make_policy

SECRETS = Secrets(token="page-token", cookie_name="train-lora-webui-7860", cookie_value="traded")
LOCAL = "127.0.0.1:7860"
PAGE = {"host": LOCAL, "origin": f"http://{LOCAL}", "x-train-lora-token": "page-token"}
OUTSIDE = {"host": "192.168.1.7:7860", "origin": "http://192.168.1.7:7860", "x-train-lora-token": "page-token"}
BASIC = {"host": LOCAL, "authorization": "Basic " + base64.b64encode(b"bot:secret").decode()}

FULL = Access()
RESTRICTED = Access("restricted", "openToOthers", True)

NOTHING = Policy()
LOGIN = Policy(login=True)
API_AUTH = Policy(api_auth=(("bot", "secret"),))
LISTEN = Policy(reachable=True)
LISTEN_API = replace(LISTEN, api_auth=(("bot", "secret"),))
LISTEN_LOGIN = Policy(reachable=True, login=True)


@pytest.mark.parametrize(
    ("policy", "headers", "user", "verdict"),
    [
        # Started with nothing: the page by its token, a script by nothing.
        (NOTHING, PAGE, None, FULL),
        (NOTHING, {"host": LOCAL}, None, 401),
        (NOTHING, BASIC, None, 401),
        (NOTHING, {"host": LOCAL, "x-train-lora-token": "page-token"}, None, FULL),
        (NOTHING, {**PAGE, "x-train-lora-token": "another"}, None, 401),
        # --gradio-auth: the cookie as well.
        (LOGIN, PAGE, None, 401),
        (LOGIN, PAGE, "ann", FULL),
        (LOGIN, {"host": LOCAL, "origin": f"http://{LOCAL}"}, "ann", 401),
        (replace(LOGIN, api_auth=(("bot", "secret"),)), BASIC, None, FULL),
        # --api-auth only: the page as with nothing, a script by its pair.
        (API_AUTH, PAGE, None, FULL),
        (API_AUTH, BASIC, None, FULL),
        (API_AUTH, {"host": LOCAL, "authorization": "Basic " + base64.b64encode(b"bot:wrong").decode()}, None, 401),
        (API_AUTH, {"host": LOCAL, "authorization": "Basic %%%"}, None, 401),
        # Reachable without a login: look, but change nothing.
        (LISTEN, OUTSIDE, None, RESTRICTED),
        (LISTEN, PAGE, None, RESTRICTED),
        (LISTEN, {"host": "192.168.1.7:7860"}, None, 401),
        (LISTEN_API, {**BASIC, "host": "192.168.1.7:7860"}, None, FULL),
        (replace(LISTEN, allow_remote=True), OUTSIDE, None, FULL),
        # The same with a login.
        (LISTEN_LOGIN, OUTSIDE, "ann", FULL),
        (LISTEN_LOGIN, OUTSIDE, None, 401),
        (replace(LISTEN_LOGIN, hide_folders=True), OUTSIDE, "ann", Access(hide_folders=True)),
        (replace(NOTHING, hide_folders=True), PAGE, None, Access(hide_folders=True)),
        # A name that was rebound to this machine, and one that the owner has told us.
        (NOTHING, {**PAGE, "host": "evil.example:7860", "origin": "http://evil.example:7860"}, None, 403),
        (NOTHING, {**BASIC, "host": "evil.example"}, None, 403),
        (
            replace(NOTHING, other_hosts=("sd.example.org",)),
            {**PAGE, "host": "sd.example.org", "origin": "https://sd.example.org"},
            None,
            FULL,
        ),
        (replace(NOTHING, other_hosts=("sd.example.org",)), {**PAGE, "origin": "https://sd.example.org"}, None, FULL),
        (LOGIN, {**PAGE, "host": "sd.example.org", "origin": "https://sd.example.org"}, "ann", FULL),
        (NOTHING, {**PAGE, "host": "localhost:7860", "origin": "http://localhost:7860"}, None, FULL),
        (NOTHING, {**PAGE, "host": "[::1]:7860", "origin": "http://[::1]:7860"}, None, FULL),
        (
            NOTHING,
            {**PAGE, "host": "localhost.evil.example:7860", "origin": "http://localhost.evil.example:7860"},
            None,
            403,
        ),
        # A foreign page, and one that --cors-allow-origins lets in.
        (NOTHING, {**PAGE, "origin": "http://evil.example"}, None, 403),
        (NOTHING, {**PAGE, "origin": "http://127.0.0.1:9999"}, None, 403),
        (NOTHING, {**PAGE, "origin": "null"}, None, 403),
        (API_AUTH, {**BASIC, "origin": "http://evil.example"}, None, 403),
        (LOGIN, {**PAGE, "origin": "http://evil.example"}, "ann", 403),
        (
            replace(NOTHING, cors_origins=("https://mine.example",)),
            {**PAGE, "origin": "https://mine.example"},
            None,
            FULL,
        ),
        (
            replace(NOTHING, cors_origin_regex=r"https://.*\.mine\.example"),
            {**PAGE, "origin": "https://a.mine.example"},
            None,
            FULL,
        ),
        (
            replace(NOTHING, cors_origin_regex=r"https://mine"),
            {**PAGE, "origin": "https://mine.evil.example"},
            None,
            403,
        ),
        # A proxy that passes on the name without its port; another page of that name has no token.
        (LOGIN, {**PAGE, "host": "sd.example.org", "origin": "https://sd.example.org:8443"}, "ann", FULL),
        (
            LOGIN,
            {"host": "sd.example.org", "origin": "https://sd.example.org:8443", "x-train-lora-token": "made-up"},
            "ann",
            403,
        ),
        (NOTHING, {**PAGE, "host": "127.0.0.1:7860", "origin": "http://127.0.0.1:8080"}, None, 403),
        # Browsers leave a scheme's usual port out of one and proxies out of the other.
        (LISTEN_LOGIN, {**OUTSIDE, "host": "sd.example.org:443", "origin": "https://sd.example.org"}, "ann", FULL),
    ],
)
def test_each_way_of_starting_lets_in_whom_it_should(
    policy: Policy, headers: dict[str, str], user: str | None, verdict: Access | int
) -> None:
    for caller in (Caller("POST", headers, user=user), Caller("GET", headers, user=user, socket=True)):
        found = judge(caller, policy, SECRETS)
        assert (found.status if isinstance(found, Refusal) else found) == verdict


@pytest.mark.parametrize(
    ("method", "origin", "socket", "lets_in"),
    [
        ("GET", None, False, True),
        ("HEAD", None, False, True),
        ("PUT", None, False, False),
        ("POST", f"http://{LOCAL}", False, True),
        ("GET", None, True, False),
        ("GET", f"http://{LOCAL}", True, True),
    ],
)
def test_the_cookie_alone_is_enough_to_read_and_wants_the_pages_origin_to_change(
    method: str, origin: str | None, socket: bool, lets_in: bool
) -> None:
    headers = {"host": LOCAL, **({"origin": origin} if origin else {})}
    caller = Caller(method, headers, {SECRETS.cookie_name: "traded"}, socket)
    assert isinstance(judge(caller, NOTHING, SECRETS), Access) is lets_in


def test_the_cookie_is_worth_nothing_at_another_port_of_the_same_name() -> None:
    cookies = {SECRETS.cookie_name: "traded"}
    for socket in (False, True):
        for host, origin, lets_in in (
            ("sd.example.org", "https://sd.example.org:8443", False),
            ("sd.example.org", "https://sd.example.org", True),
        ):
            caller = Caller("GET" if socket else "POST", {"host": host, "origin": origin}, cookies, socket, "ann")
            assert isinstance(judge(caller, LOGIN, SECRETS), Access) is lets_in


def test_a_sockets_token_comes_as_a_sub_protocol_and_is_not_answered_with() -> None:
    headers = {
        "host": LOCAL,
        "origin": f"http://{LOCAL}",
        "sec-websocket-protocol": "train-lora, train-lora.page-token",
    }
    assert judge(Caller("GET", headers, socket=True), NOTHING, SECRETS) == FULL
    assert accepted_protocol(headers) == "train-lora"
    assert accepted_protocol({"sec-websocket-protocol": "graphql-ws"}) is None
    # The same header on a plain request proves nothing.
    assert isinstance(judge(Caller("GET", headers), NOTHING, SECRETS), Refusal)


def test_a_login_is_found_under_the_names_of_both_gradios() -> None:
    tokens = {"t1": "ann"}
    assert login_user({"access-token": "t1"}, tokens, None) == "ann"
    assert login_user({"access-token-unsecure": "t1"}, tokens, None) == "ann"
    assert login_user({"access-token-unsecure-abc": "t1"}, tokens, "abc") == "ann"
    assert login_user({"access-token-unsecure": "t1"}, tokens, "abc") is None
    assert login_user({"access-token": "gone"}, tokens, None) is None
    assert login_user({}, {}, None) is None


def test_the_webuis_options_become_the_policy() -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    options = parser.parse_args(["--train-lora-allow-remote", "--train-lora-port", "7870"])
    options.api_auth, options.cors_allow_origins = "bot:se:cret,ann:x", "https://a.example,https://b.example"
    policy = make_policy(options, login=True, reachable=False)
    assert policy.allow_remote and policy.login and not policy.hide_folders
    assert policy.api_auth == (("bot", "se:cret"), ("ann", "x"))
    assert policy.cors_origins == ("https://a.example", "https://b.example")


@pytest.mark.parametrize(
    ("options", "environment", "reachable"),
    [
        ({}, {}, False),
        ({"server_name": "127.0.0.1"}, {}, False),
        ({"server_name": "0.0.0.0"}, {}, True),
        ({"listen": True}, {}, True),
        ({"share": True}, {}, True),
        ({"ngrok": "a-token"}, {}, True),
        ({}, {"GRADIO_SERVER_NAME": "0.0.0.0"}, True),
    ],
)
def test_a_webui_is_reachable_when_it_listens_to_more_than_this_machine(
    options: dict[str, object], environment: dict[str, str], reachable: bool
) -> None:
    assert is_reachable(argparse.Namespace(**options), None, environment) is reachable
