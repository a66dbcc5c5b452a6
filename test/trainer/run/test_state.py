"""State on disk and the memory of what was said."""

import json
from pathlib import Path

import pytest
import torch

from trainer.failure import Failure
from trainer.journal import Journal
from trainer.progress import Progress
from trainer.run.state import StateFolder


def test_state_comes_back_and_only_the_newest_numbers_are_kept(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    progress = folder.read("plan")
    assert progress.step == 0 and folder.read_tensors(progress) is None
    for step in (5, 9):
        progress.step = step
        progress.saved["1"] = ("a.safetensors", "hash")
        folder.save(progress, {"a": torch.full((3,), float(step))})
    found = StateFolder(tmp_path).read("plan")
    tensors = folder.read_tensors(found)
    assert found.step == 9 and found.saved["1"][0] == "a.safetensors" and found.session_id == progress.session_id
    assert tensors is not None and torch.equal(tensors["a"], torch.full((3,), 9.0))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.json", "step-00000009.safetensors"]


def test_the_end_of_the_last_epoch_is_kept_beside_the_newest_state_and_can_be_gone_back_to(tmp_path: Path) -> None:
    folder, progress = StateFolder(tmp_path), Progress("plan")
    for step in (6, 12):
        progress.step = step
        folder.save(progress, {"a": torch.full((3,), float(step))})
        folder.mark_good(progress)
    for step in (14, 15):
        progress.step = step
        folder.save(progress, {"a": torch.full((3,), float(step))})
    names = sorted(path.name for path in tmp_path.glob("step-*"))
    assert names == ["step-00000012.safetensors", "step-00000015.safetensors"]
    folder.go_back(progress, rate=0.5)
    found = StateFolder(tmp_path).read("plan")
    tensors = folder.read_tensors(found)
    assert (found.step, found.rate) == (12, 0.5) and tensors is not None and float(tensors["a"][0]) == 12
    fresh = Progress("other", step=3, tensors="step-00000003.safetensors")
    StateFolder(tmp_path / "fresh").go_back(fresh, rate=0.5)
    assert (fresh.step, fresh.tensors) == (0, "")


def test_a_foreign_or_damaged_state_is_said(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    progress = Progress("plan", step=3)
    folder.save(progress, {"a": torch.zeros(2)})
    with pytest.raises(Failure, match="plan other") as caught:
        folder.read("other")
    assert caught.value.code == "bad_plan"
    (tmp_path / progress.tensors).write_bytes(b"rubbish")
    with pytest.raises(Failure, match="damaged"):
        folder.read_tensors(progress)
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(Failure, match="damaged"):
        folder.read("plan")


def test_a_reader_that_was_killed_is_told_again_what_it_lacks_and_no_more(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    journal, progress = Journal(tmp_path), Progress("plan", evaluated=[1], saved={"1": ("a", "h")})
    journal.say({"type": "evaluated", "epoch": 1, "train_loss": 0.5})
    journal.say({"type": "saved", "epoch": 1, "step": 5, "file": "a"})
    journal.say({"type": "saved", "epoch": 2, "step": 9, "file": "b"})
    first = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    Journal(tmp_path).repeat_lost(progress)
    assert capfdbinary.readouterr().out == b""
    (tmp_path / "events.jsonl").write_text(json.dumps(first[0]) + '\n{"type": "sa')
    Journal(tmp_path).repeat_lost(progress)
    (again,) = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert (again["type"], again["epoch"], again["file"]) == ("saved", 1, "a")
