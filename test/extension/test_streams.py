"""What passes through the WebUI's port: frames of both kinds, big uploads, parts of pictures."""

from __future__ import annotations

import json
import os
from io import BytesIO
from pathlib import Path

from PIL import Image
from running_webui import RunningWebui, peak_kilobytes_of

MEGABYTE = 1024 * 1024


def test_text_and_binary_frames_pass_through_one_socket(open_webui: RunningWebui, page: dict[str, str]) -> None:
    with open_webui.socket(page) as socket_:
        assert socket_.status == 101
        assert socket_.headers["sec-websocket-protocol"] == "train-lora"
        assert json.loads(socket_.receive())["type"] == "hello"
        assert json.loads(socket_.receive())["type"] == "snapshot"
        asked = json.dumps({"id": 5, "type": "scanDataset", "dataset": "none"})
        for message in (asked, asked.encode(), json.dumps({"id": 6, "type": "x", "padding": "é" * 200_000})):
            socket_.send(message)
            assert socket_.told("failure")["failure"]["message"]


def test_a_big_upload_streams_and_a_picture_comes_back_in_parts(
    open_webui: RunningWebui, token: dict[str, str], page: dict[str, str], tmp_path: Path
) -> None:
    webui = open_webui.process.pid
    before = peak_kilobytes_of(webui)
    size = 160 * MEGABYTE
    chunk = os.urandom(MEGABYTE)
    headers = {**token, "Content-Length": str(size)}
    sent = open_webui.request(
        "PUT", "/train-lora/api/uploads/big/in%2Fa%20b%25c.bin", headers, (chunk for _ in range(size // MEGABYTE))
    )
    assert sent.status == 201
    assert (peak_kilobytes_of(webui) - before) * 1024 < 60 * MEGABYTE
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
