"""A run whose LoRAs another program trained is measured and drawn like one of our own."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from run_folder import GRID, Trainer, train, write_run

_SETTINGS: dict[str, Any] = {"shuffleCaption": False, "grid": {**GRID, "enabled": True}, "savePrecision": "float"}


def _of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] == kind]


def _foreign(tmp_path: Path, checkpoint: Path) -> tuple[list[dict[str, Any]], Path]:
    """The events of a run of ours, and a folder with its plan and files as if another program had made them."""
    own = write_run(tmp_path / "own", checkpoint, **_SETTINGS)
    events = train(own)
    foreign = write_run(tmp_path / "foreign", checkpoint, **_SETTINGS)
    shutil.copytree(own / "models", foreign / "models")
    return events, foreign


def test_a_review_finds_the_losses_and_draws_the_pictures_of_the_training_itself(
    tmp_path: Path, tiny_checkpoint: Path
) -> None:
    own, foreign = _foreign(tmp_path, tiny_checkpoint)
    events, code = Trainer("review", str(foreign)).end()
    assert (events[-1]["type"], code) == ("finished", 0)
    assert not _of(events, "started") and not _of(events, "step") and not _of(events, "saved")
    measured, expected = _of(events, "evaluated"), _of(own, "evaluated")
    assert [event["epoch"] for event in measured] == [0, 1, 2]
    for found, wanted in zip(measured, expected, strict=True):
        assert found["trainLoss"] == pytest.approx(wanted["trainLoss"], rel=1e-4)
        assert found["drift"] == pytest.approx(wanted["drift"], rel=1e-3, abs=1e-9)
    assert sorted(event["file"] for event in _of(events, "cell")) == sorted(e["file"] for e in _of(own, "cell"))
    assert [event["epoch"] for event in _of(events, "sheet")] == [1, 2]
    assert (foreign / "grid" / "sheet.png").is_file()


def test_a_review_that_was_stopped_goes_on_where_it_was(tmp_path: Path, tiny_checkpoint: Path) -> None:
    _, foreign = _foreign(tmp_path, tiny_checkpoint)
    reviewer = Trainer("review", str(foreign))
    first = reviewer.until("sheet", epoch=1)
    reviewer.say('{"type":"stop"}')
    rest, _ = reviewer.end()
    assert rest[-1]["type"] == "stopped"
    events, code = Trainer("review", str(foreign)).end()
    assert code == 0
    done = [event["epoch"] for event in _of(first + rest, "evaluated")]
    assert [event["epoch"] for event in _of(events, "evaluated")] == [e for e in (0, 1, 2) if e not in done]


def test_epochs_without_a_file_are_passed_over(tmp_path: Path, tiny_checkpoint: Path) -> None:
    _, foreign = _foreign(tmp_path, tiny_checkpoint)
    (foreign / "models" / "zorp-000001.safetensors").unlink()
    events, code = Trainer("review", str(foreign)).end()
    assert code == 0
    assert [event["epoch"] for event in _of(events, "evaluated")] == [0, 2]
