"""What can be asked of a run while it goes on."""

import json
from pathlib import Path
from typing import Any

from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file

from run_folder import GRID, Trainer, train, write_run

EPOCHS = 3


def _of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] == kind]


def test_a_lora_and_pictures_that_are_asked_for_come_at_once_and_change_nothing(
    tmp_path: Path, tiny_checkpoint: Path
) -> None:
    grid = {**GRID, "enabled": True, "weights": [1]}
    whole = write_run(tmp_path / "whole", tiny_checkpoint, epochs=1, grid=grid)
    train(whole)
    run = write_run(tmp_path / "run", tiny_checkpoint, epochs=1, grid=grid)
    trainer = Trainer("train", str(run))
    trainer.until("step", step=2)
    trainer.say('{"type": "saveNow"}\n{"type": "sampleNow"}')
    events, code = trainer.end()
    assert (events[-1]["type"], code) == ("finished", 0)
    (saved,) = _of(events, "savedNow")
    path = run / "models" / saved["file"]
    assert saved["file"] == f"zorp-step{saved['step']:08d}.safetensors" and path.stat().st_size == saved["bytes"]
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    assert metadata["ss_steps"] == str(saved["step"]) and metadata["ss_output_name"] == path.stem
    samples = _of(events, "sample")
    assert [sample["prompt"] for sample in samples] == [0, 1]
    with Image.open(run / samples[0]["file"]) as picture:
        assert picture.size == (64, 64) and "zorp, red <lora:zorp-step" in picture.text["parameters"]
    final = [load_file(folder / "models" / "zorp.safetensors") for folder in (whole, run)]
    assert all(bool((value == final[1][key]).all()) for key, value in final[0].items())


def test_stop_and_save_leaves_the_lora_of_the_last_step(tmp_path: Path, tiny_checkpoint: Path) -> None:
    run = write_run(tmp_path / "run", tiny_checkpoint, epochs=1)
    trainer = Trainer("train", str(run))
    trainer.until("step", step=2)
    trainer.say('{"type": "stopAndSave"}')
    events, code = trainer.end()
    assert (events[-1]["type"], code) == ("stopped", 0)
    (saved,) = _of(events, "savedNow")
    assert saved["step"] == events[-1]["step"] >= 2 and (run / "models" / saved["file"]).is_file()


def test_a_run_that_is_extended_goes_on_like_one_that_was_planned_so_long_from_there(
    tmp_path: Path, tiny_checkpoint: Path
) -> None:
    run = write_run(tmp_path / "run", tiny_checkpoint, epochs=1, lrScheduler="constant")
    long = write_run(tmp_path / "long", tiny_checkpoint, epochs=2, lrScheduler="constant")
    train(long)
    trainer = Trainer("train", str(run))
    trainer.until("step", step=2)
    facts = json.loads((run / "run.json").read_text())
    files = ["zorp-000001.safetensors", "zorp.safetensors"]
    (run / "run.json").write_text(json.dumps({**facts, "extraEpochs": 1, "files": files}))
    trainer.say('{"type": "extend"}')
    events, code = trainer.end()
    assert (events[-1]["type"], code) == ("finished", 0)
    (started,) = _of(events, "started")
    assert (started["totalSteps"], started["epochs"]) == (12, 2) and started["step"] >= 2
    assert [event["file"] for event in _of(events, "saved")] == files
    for file in files:
        first, second = (load_file(folder / "models" / file) for folder in (run, long))
        assert all(bool((value == second[key]).all()) for key, value in first.items())


def test_a_finished_run_can_be_extended_as_well(tmp_path: Path, tiny_checkpoint: Path) -> None:
    run = write_run(tmp_path / "run", tiny_checkpoint, epochs=1, images=4)
    train(run)
    facts = json.loads((run / "run.json").read_text())
    files = ["zorp.safetensors", "zorp-000002.safetensors"]
    (run / "run.json").write_text(json.dumps({**facts, "extraEpochs": 1, "files": files}))
    events = train(run)
    assert [event["file"] for event in _of(events, "saved")] == ["zorp-000002.safetensors"]
    assert events[0]["epochs"] == 2 and list((run / "tensorboard").iterdir())
