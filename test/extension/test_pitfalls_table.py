"""docs/guide/webui-pitfalls.md names every pitfall once, and only tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "guide" / "webui-pitfalls.md").read_text("utf-8").splitlines()
    if re.match(r"\| \d+ \|", line)
]


def test_every_one_of_the_fifty_has_its_row() -> None:
    assert sorted(int(row[0]) for row in ROWS) == list(range(1, 51))


def test_every_row_is_held_by_tests_that_are_there() -> None:
    for number, _pitfall, _handling, held_by in ROWS:
        files = re.findall(r"`([^`]+)`", held_by)
        assert files, number
        assert [file for file in files if not (ROOT / "test" / file).is_file()] == [], number
