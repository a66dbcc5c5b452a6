"""A WebUI on this machine, without a login: what passes through its port, and what does not."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from raw_socket import ClosedByServer
from running_webui import RunningWebui, arguments_of, kilobytes_of, wait_for

MEGABYTE = 1024 * 1024


@pytest.fixture
def token(open_webui: RunningWebui) -> dict[str, str]:
    return {"X-Train-Lora-Token": open_webui.page_token()}


def test_without_the_token_nothing_is_told(open_webui: RunningWebui) -> None:
    for path in ("/train-lora/status", "/train-lora/setup", "/train-lora/api/server", "/train-lora/ui/index.html"):
        answer = open_webui.request("GET", path)
        assert answer.status == 401
        assert b"unauthorized" in answer.body


def test_the_page_is_served_below_the_webuis_own_address(open_webui: RunningWebui, token: dict[str, str]) -> None:
    page = open_webui.request("GET", "/train-lora/ui/train-lora.js", {**token, "Accept-Encoding": "gzip"})
    assert page.status == 200
    assert "javascript" in page.headers["content-type"]
    assert page.headers["content-encoding"] == "gzip"
    assert b"train-lora-app" in gzip.decompress(page.body)
    again = open_webui.request("GET", "/train-lora/ui/train-lora.js", {**token, "If-None-Match": page.headers["etag"]})
    assert again.status == 304


def test_the_status_says_what_the_page_needs_to_know(open_webui: RunningWebui, token: dict[str, str]) -> None:
    status = open_webui.request("GET", "/train-lora/status", token).json()
    assert status["access"] == {"level": "full", "reason": "none", "hideFolders": False}
    assert status["state"] in ("ready", "setupNeeded")
    assert status["working"] is False


def test_the_setup_answers_before_there_is_a_server(open_webui: RunningWebui, token: dict[str, str]) -> None:
    assert "steps" in open_webui.request("GET", "/train-lora/setup", token).json()
    assert (
        open_webui.request("GET", "/train-lora/panel/train-lora-setup.mjs", token)
        .headers["content-type"]
        .startswith("text/javascript")
    )
    assert open_webui.request("GET", "/train-lora/panel/..%2Finstall.py", token).status == 404


def test_the_token_is_traded_for_a_cookie_that_shows_pictures_but_changes_nothing(
    open_webui: RunningWebui, token: dict[str, str]
) -> None:
    assert open_webui.request("POST", "/train-lora/session", {"X-Train-Lora-Token": "wrong"}).status == 401
    traded = open_webui.request("POST", "/train-lora/session", token)
    assert traded.status == 204
    line = traded.headers["set-cookie"].lower()
    assert "httponly" in line and "samesite=strict" in line and "path=" not in line
    assert token["X-Train-Lora-Token"] not in line
    cookie = {"Cookie": "; ".join(f"{name}={value}" for name, value in traded.cookies.items())}
    assert open_webui.request("GET", "/train-lora/api/server", cookie).status == 200
    assert open_webui.request("PUT", "/train-lora/api/uploads/c1/a.txt", cookie, b"x").status == 401
    from_page = {**cookie, "Origin": open_webui.origin}
    assert open_webui.request("PUT", "/train-lora/api/uploads/c1/a.txt", from_page, b"x").status == 201
    # A cookie can't be traded for a longer life.
    assert open_webui.request("POST", "/train-lora/session", from_page).status == 401


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


@pytest.fixture
def page(open_webui: RunningWebui, token: dict[str, str]) -> Iterator[dict[str, str]]:
    yield {
        "Origin": open_webui.origin,
        "Sec-WebSocket-Protocol": f"train-lora, train-lora.{token['X-Train-Lora-Token']}",
    }


def test_text_and_binary_frames_pass_through_one_socket(open_webui: RunningWebui, page: dict[str, str]) -> None:
    with open_webui.socket(page) as socket_:
        assert socket_.status == 101
        assert socket_.headers["sec-websocket-protocol"] == "train-lora"
        assert json.loads(socket_.receive())["type"] == "hello"
        assert json.loads(socket_.receive())["type"] == "snapshot"
        asked = json.dumps({"id": 5, "type": "scanDataset", "dataset": "none"})
        for message in (asked, asked.encode(), json.dumps({"id": 6, "type": "x", "padding": "é" * 200_000})):
            socket_.send(message)
            answer = json.loads(socket_.receive())
            assert answer["type"] == "failure"


def test_a_big_upload_streams_and_a_picture_comes_back_in_parts(
    open_webui: RunningWebui, token: dict[str, str], page: dict[str, str], tmp_path: Path
) -> None:
    webui = open_webui.process.pid
    before = kilobytes_of(webui)
    size = 160 * MEGABYTE
    chunk = os.urandom(MEGABYTE)
    headers = {**token, "Content-Length": str(size)}
    sent = open_webui.request(
        "PUT", "/train-lora/api/uploads/big/in%2Fa%20b%25c.bin", headers, (chunk for _ in range(size // MEGABYTE))
    )
    assert sent.status == 201
    assert (kilobytes_of(webui) - before) * 1024 < 60 * MEGABYTE
    assert (open_webui.home / "uploads" / "big" / "in" / "a b%c.bin").stat().st_size == size

    picture = BytesIO()
    Image.effect_noise((300, 200), 90).convert("RGB").save(picture, "PNG")
    source = tmp_path / "pictures"
    source.mkdir()
    (source / "one.png").write_bytes(picture.getvalue())
    with open_webui.socket(page) as socket_:
        socket_.send(json.dumps({"id": 9, "type": "importDataset", "source": str(source), "name": "proxied"}))
        while (said := json.loads(socket_.receive())).get("id") != 9:
            pass
        assert said["type"] == "result", said
        socket_.send(json.dumps({"id": 10, "type": "scanDataset", "dataset": "proxied"}))
        while (said := json.loads(socket_.receive())).get("id") != 10:
            pass
        image = said["value"]["images"][0]["id"]
    address = f"/train-lora/api/datasets/proxied/images/{image}"
    whole = open_webui.request("GET", address, {**token, "Accept-Encoding": "gzip"})
    assert whole.body == picture.getvalue()
    assert whole.headers.get("content-encoding", "identity") == "identity"
    part = open_webui.request("GET", address, {**token, "Range": "bytes=8-15", "Accept-Encoding": "gzip"})
    assert (part.status, part.body) == (206, whole.body[8:16])
    assert open_webui.request("GET", address, {**token, "If-None-Match": whole.headers["etag"]}).status == 304
    small = open_webui.request("GET", f"{address}?size=64", token)
    assert small.headers["content-type"] == "image/webp"


def test_the_hidden_field_is_bound_to_txt2img_and_not_kept(open_webui: RunningWebui) -> None:
    config = open_webui.request("GET", "/config").json()
    ids = {part["props"].get("elem_id"): part["id"] for part in config["components"]}
    assert {"train_lora_mount", "train_lora_paste_text", "train_lora_paste_button"} <= set(ids)
    paste = [one for one in config["dependencies"] if ids["train_lora_paste_text"] in one["inputs"]]
    assert len(paste) == 1
    assert str(ids["train_lora_paste_button"]) in json.dumps(paste[0]["targets"])
    assert ids["txt2img_prompt"] in paste[0]["outputs"]
    assert open_webui.facts["saved"] == ["prompt", "neg_prompt"]


def test_reload_ui_takes_less_than_a_second_with_an_open_socket_and_a_stalled_upload(
    open_webui: RunningWebui, token: dict[str, str], page: dict[str, str]
) -> None:
    server = open_webui.server()["pid"]
    with open_webui.socket(page) as socket_, socket.create_connection(("127.0.0.1", open_webui.port)) as stalled:
        socket_.receive()
        head = ["PUT /train-lora/api/uploads/slow/a.bin HTTP/1.1", f"Host: 127.0.0.1:{open_webui.port}"]
        head += ["Content-Length: 9999999", f"X-Train-Lora-Token: {token['X-Train-Lora-Token']}", "", ""]
        stalled.sendall("\r\n".join(head).encode() + b"x" * 1000)
        wait_for(lambda: (open_webui.home / "uploads" / "slow" / "a.bin.part").exists())
        open_webui.command("reload")
        assert open_webui.expect("closedIn")["closedIn"] < 1
        with pytest.raises(ClosedByServer) as closed:
            while True:
                socket_.receive()
        assert closed.value.code == 1012
    open_webui.expect("ready")
    assert open_webui.request("GET", "/train-lora/api/server", token).json()["pid"] == server
    wait_for(lambda: not (open_webui.home / "uploads" / "slow" / "a.bin.part").exists())


def test_a_server_that_was_killed_comes_back_and_its_page_hears_to_try_again(
    open_webui: RunningWebui, token: dict[str, str], page: dict[str, str]
) -> None:
    with open_webui.socket(page) as socket_:
        socket_.receive()
        old = open_webui.server()["pid"]
        os.kill(old, signal.SIGKILL)
        began = time.monotonic()
        with pytest.raises(ClosedByServer) as closed:
            while True:
                socket_.receive()
        assert closed.value.code == 1013
        assert time.monotonic() - began < 1
    away = open_webui.request("GET", "/train-lora/api/server", token)
    if away.status != 200:
        assert (away.status, away.json()["code"]) == (503, "server_missing")
    wait_for(lambda: open_webui.request("GET", "/train-lora/api/server", token).status == 200)
    assert open_webui.server()["pid"] != old


def test_no_secret_is_in_an_address_an_argument_or_a_log(open_webui: RunningWebui, token: dict[str, str]) -> None:
    server = open_webui.server()
    arguments = arguments_of(server["pid"])
    logs = "".join(file.read_text("utf-8", errors="replace") for file in open_webui.home.parent.rglob("*.log"))
    for secret in (server["secret"], token["X-Train-Lora-Token"], "#/code=", "code="):
        assert secret not in arguments
        assert secret not in logs
