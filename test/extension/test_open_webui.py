"""A WebUI on this machine, without a login: what its page gets."""

from __future__ import annotations

import gzip
import json

from running_webui import RunningWebui


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


def test_the_hidden_field_is_bound_to_txt2img_and_not_kept(open_webui: RunningWebui) -> None:
    config = open_webui.request("GET", "/config").json()
    ids = {part["props"].get("elem_id"): part["id"] for part in config["components"]}
    assert {"train_lora_mount", "train_lora_paste_text", "train_lora_paste_button"} <= set(ids)
    paste = [one for one in config["dependencies"] if ids["train_lora_paste_text"] in one["inputs"]]
    assert len(paste) == 1
    assert str(ids["train_lora_paste_button"]) in json.dumps(paste[0]["targets"])
    assert ids["txt2img_prompt"] in paste[0]["outputs"]
    assert open_webui.facts["saved"] == ["prompt", "neg_prompt"]
