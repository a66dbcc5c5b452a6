"""The set-up over HTTP, on the FastAPI of both lines of WebUIs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_extension import SmallExtension

sys.path.append(str(Path(__file__).resolve().parents[1]))

from venvs import LINES, NO_PYTHON, fitting_python, gradio_python  # noqa: E402 - these stand beside the path that was just set

FULL = {"level": "full", "hideFolders": False}
RESTRICTED = {"level": "restricted", "hideFolders": True}


@pytest.fixture(params=LINES)
def address(request: pytest.FixtureRequest, extension: SmallExtension) -> Iterator[str]:
    if fitting_python() is None:
        pytest.skip(NO_PYTHON)
    script = Path(__file__).with_name("setup_app.py")
    command = [str(gradio_python(request.param)), str(script), str(extension.repository), str(extension.home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as app:
        assert app.stdout is not None
        base = f"http://127.0.0.1:{app.stdout.readline().strip()}/train-lora/setup"
        for _ in range(100):
            if ask(base, FULL)[0] == 200:
                break
            time.sleep(0.1)
        yield base
        app.kill()


def test_the_panel_starts_a_set_up_and_follows_its_log_to_the_end(address: str) -> None:
    status, state = ask(address, FULL)
    assert (status, state["status"], state["lines"], state["next"]) == (200, "needed", [], 0)
    assert ask(f"{address}/start", FULL, b'{"privateNode": false}') == (200, {"started": True})
    assert ask(f"{address}/start", FULL, b"")[1] == {"started": False}
    lines, following = [], 0
    while state["status"] in ("needed", "running"):
        state = ask(f"{address}?since={following}", FULL)[1]
        lines, following = [*lines, *state["lines"]], state["next"]
        time.sleep(0.2)
    assert (state["status"], state["failure"], state["updatedFrom"]) == ("ready", None, None)
    assert len(lines) == following
    assert lines[0].startswith("Set-up of Train LoRA 0.1.0")
    assert lines[-1] == "The set-up is done."


def test_who_may_only_look_starts_and_stops_nothing_and_sees_no_folder(address: str, extension: SmallExtension) -> None:
    for path, body in (("start", b"{}"), ("cancel", b"{}"), ("open", b'{"withoutTrainer": true}')):
        status, failure = ask(f"{address}/{path}", RESTRICTED, body)
        assert (status, failure["code"]) == (403, "restricted")
    extension.write_packages("0.1.0", {})
    assert ask(f"{address}/start", FULL, b"{}")[0] == 200
    told = ""
    while "failed" not in told:
        told = json.dumps(ask(address, RESTRICTED)[1])
        time.sleep(0.2)
    assert str(extension.repository) not in told and str(extension.home) not in told
    assert "<extension>" in told


def test_without_the_guards_leave_there_is_nothing(address: str) -> None:
    assert ask(address, None)[0] == 401
    assert ask(f"{address}/start", None, b"{}")[0] == 401
    assert ask(address, FULL)[1]["status"] == "needed"


def test_the_page_opens_without_the_trainer_once_everything_else_is_there(
    address: str, extension: SmallExtension
) -> None:
    wish = b'{"withoutTrainer": true}'
    assert ask(f"{address}/open", FULL, wish) == (200, {"opened": False})
    assert ask(f"{address}/start", FULL, b"{}")[0] == 200
    while ask(address, FULL)[1]["status"] in ("needed", "running"):
        time.sleep(0.2)
    extension.write("trainer-py/requirements.txt", "torch==2\n")
    assert ask(f"{address}/open", FULL, wish) == (200, {"opened": True})
    assert ask(f"{address}/open", FULL, b"")[1] == {"opened": False}
    assert ask(f"{address}/open", FULL, b'{"withoutTrainer": 1}')[0] == 400


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"privateNode": "yes"}'])
def test_a_body_of_another_shape_is_refused(address: str, body: bytes) -> None:
    status, failure = ask(f"{address}/start", FULL, body)
    assert (status, failure["code"]) == (400, "bad_request")


def ask(address: str, access: dict[str, Any] | None, body: bytes | None = None) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(address, body)  # noqa: S310 - our own address
    if access is not None:
        request.add_header("x-test-access", json.dumps(access))
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except OSError:
        return 0, {}
