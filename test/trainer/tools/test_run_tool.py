from pathlib import Path
from typing import Any

import pytest

from tool_files import run_request, tool_file, tool_lora
from trainer.failure import Failure
from trainer.tools.requests import tool_request


def test_no_file_is_ever_written_over(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = tool_file(tmp_path / "a.safetensors", tool_lora(1))
    before = Path(source).read_bytes()
    for request in (
        {"tool": "resize", "file": source, "dim": 2},
        {"tool": "merge", "files": [source], "weights": [1]},
        {"tool": "convert", "file": source, "style": "peft"},
    ):
        with pytest.raises(Failure, match="which stays"):
            run_request(capfd, tmp_path, **request, out=source)
    assert Path(source).read_bytes() == before


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, "a tool of"),
        ({"tool": "resize", "file": "a", "out": "b"}, "a value at dim"),
        ({"tool": "resize", "file": "a", "out": "b", "dim": 0}, "a dim of at least 1"),
        (
            {"tool": "resize", "file": "a", "out": "b", "dim": 4, "method": "sv_fro"},
            "a target above 0",
        ),
        (
            {
                "tool": "resize",
                "file": "a",
                "out": "b",
                "dim": 4,
                "method": "sv_fro",
                "target": 3,
            },
            "0 to 1",
        ),
        (
            {"tool": "merge", "files": ["a"], "weights": [], "out": "b"},
            "a weight for each",
        ),
        ({"tool": "convert", "file": "a", "out": "b", "style": "odd"}, "a style of"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(request_: dict[str, Any], said: str) -> None:
    with pytest.raises(Failure, match=said) as caught:
        tool_request(request_)
    assert caught.value.code == "bad_request"
