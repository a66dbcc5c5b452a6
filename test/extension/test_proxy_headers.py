from __future__ import annotations

import json

from train_lora_webui.access import Access
from train_lora_webui.proxy_headers import request_headers, response_headers, server_headers
from train_lora_webui.server_address import ServerAddress


def test_nothing_of_the_webuis_login_and_of_the_connection_reaches_the_server() -> None:
    given = [
        (b"Host", b"sd.example.org"),
        (b"Cookie", b"access-token=1"),
        (b"Authorization", b"Basic abc"),
        (b"Origin", b"https://sd.example.org"),
        (b"X-Train-Lora-Token", b"t"),
        (b"X-Train-Lora-Access", b'{"level":"full"}'),
        (b"X-Forwarded-For", b"10.0.0.1"),
        (b"Connection", b"keep-alive, X-Private"),
        (b"X-Private", b"1"),
        (b"Transfer-Encoding", b"chunked"),
        (b"Range", b"bytes=0-9"),
        (b"If-None-Match", b'"tag"'),
        (b"Content-Length", b"5"),
    ]
    assert request_headers(given) == [("range", "bytes=0-9"), ("if-none-match", '"tag"'), ("content-length", "5")]


def test_the_server_is_told_what_the_caller_may_do() -> None:
    headers = dict(server_headers(ServerAddress(1, "secret", 2), Access("restricted", "openToOthers", True)))
    assert headers["Authorization"] == "Bearer secret"
    assert json.loads(headers["x-train-lora-access"]) == {
        "level": "restricted",
        "reason": "openToOthers",
        "hideFolders": True,
    }


def test_pictures_and_ranges_keep_their_bytes_and_text_may_be_compressed() -> None:
    assert (b"content-encoding", b"identity") in response_headers([(b"Content-Type", b"image/png")], 200)
    assert (b"content-encoding", b"identity") in response_headers([(b"Content-Type", b"text/javascript")], 206)
    assert response_headers([(b"Content-Type", b"text/javascript")], 200) == [(b"content-type", b"text/javascript")]
    coded = [(b"content-type", b"image/png"), (b"content-encoding", b"br")]
    assert response_headers(coded, 200) == coded


def test_the_servers_own_cookie_stays_behind_the_proxy() -> None:
    assert response_headers([(b"Set-Cookie", b"a=1"), (b"Content-Type", b"text/plain")], 200) == [
        (b"content-type", b"text/plain")
    ]


def test_a_servers_secret_is_in_no_log_line() -> None:
    assert "secret" not in repr(ServerAddress(1, "secret", 2))
