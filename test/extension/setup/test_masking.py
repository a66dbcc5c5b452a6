"""Passwords stay out of the log, on the screen and in the file."""

from pathlib import Path

import pytest
from train_lora_webui.setup.masking import mask_secrets
from train_lora_webui.setup.setup_log import RING_LINES, SetupLog


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("proxy http://anna:s3cret@proxy:8080/", "proxy http://***@proxy:8080/"),
        ("https://token@host/simple", "https://***@host/simple"),
        ("http://anna:p@ss@host/x", "http://***@host/x"),
        ("GET https://registry/@scope/name 200", "GET https://registry/@scope/name 200"),
        ("//registry/:_authToken=npm_abc123", "//registry/:_authToken=***"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("Proxy-Authorization: Basic YTpi", "Proxy-Authorization: Basic ***"),
        ("https://host/x?token=abc&y=1", "https://host/x?token=***&y=1"),
        ("Basic set-up: done", "Basic set-up: done"),
        ("fetched lit-3.3.3.tgz", "fetched lit-3.3.3.tgz"),
    ],
)
def test_a_line_is_masked(line: str, masked: str) -> None:
    assert mask_secrets(line) == masked


def test_neither_ring_nor_file_holds_a_password(tmp_path: Path) -> None:
    log = SetupLog()
    log.open(tmp_path / "home" / "setup.log")
    log.add("using https://anna:s3cret@proxy:1\n\n\x1b[31mred\x1b[0m")
    following, lines = log.since(0)
    assert (following, lines) == (2, ["using https://***@proxy:1", "red"])
    assert "s3cret" not in (tmp_path / "home" / "setup.log").read_text("utf-8")


def test_only_new_lines_are_told_and_old_ones_are_dropped(tmp_path: Path) -> None:
    log = SetupLog()
    for number in range(RING_LINES + 10):
        log.add(f"line {number}")
    following, lines = log.since(RING_LINES + 8)
    assert (following, lines) == (RING_LINES + 10, [f"line {RING_LINES + 8}", f"line {RING_LINES + 9}"])
    assert len(log.since(0)[1]) == RING_LINES
    assert log.since(following + 5) == (following, [])
