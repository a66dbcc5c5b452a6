"""Whole runs of the real trainer process over a tiny checkpoint."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from run_folder import GRID, Trainer, train, write_run


def _of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] == kind]


def _equal_loras(first: Path, second: Path, count: int) -> bool:
    files = sorted((first / "models").glob("*.safetensors"))
    assert len(files) == count
    return all(_equal(file, second / "models" / file.name) for file in files)


def _equal(first: Path, second: Path) -> bool:
    a, b = load_file(first), load_file(second)
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def test_a_run_saves_every_epoch_and_the_same_plan_without_shuffling_gives_equal_loras(
    tmp_path: Path, tiny_checkpoint: Path
) -> None:
    first = write_run(tmp_path / "first", tiny_checkpoint, shuffleCaption=False)
    second = write_run(tmp_path / "second", tiny_checkpoint, shuffleCaption=False)
    events = train(first)
    rest, code = Trainer("train", str(second), fork=False).end()
    assert (rest[-1]["type"], code) == ("finished", 0)
    assert [event["file"] for event in _of(events, "saved")] == ["zorp-000001.safetensors", "zorp.safetensors"]
    assert [event["step"] for event in _of(events, "step")] == list(range(1, 13))
    assert [event["epoch"] for event in _of(events, "evaluated")] == [0, 1, 2]
    assert events[0]["type"] == "started" and events[-1]["type"] == "finished"
    assert _equal_loras(first, second, 2)
    assert not list((first / "models").glob(".*"))
    losses = [event["trainLoss"] for event in _of(events, "evaluated")]
    assert losses[2] < losses[0]


def test_the_first_step_comes_before_the_base_model_is_measured_and_a_kill_between_the_two_loses_neither(
    tmp_path: Path, tiny_checkpoint: Path
) -> None:
    run_dir = write_run(tmp_path, tiny_checkpoint)
    killed = Trainer("train", str(run_dir))
    seen = killed.until("step", step=1)
    killed.kill()
    killed.end()
    assert not [event for event in seen if event["type"] in ("evaluated", "grid")]
    events = train(run_dir)
    measured = [(event["type"], event.get("epoch")) for event in events if event["type"] in ("step", "evaluated")]
    assert measured.index(("evaluated", 0)) < measured.index(("evaluated", 1))
    assert [epoch for kind, epoch in measured if kind == "evaluated"] == [0, 1, 2]


def test_a_run_killed_in_the_middle_of_an_epoch_ends_like_an_unbroken_one(
    tmp_path: Path, tiny_checkpoint: Path
) -> None:
    whole = write_run(tmp_path / "whole", tiny_checkpoint, epochs=3)
    train(whole)
    broken = write_run(tmp_path / "broken", tiny_checkpoint, epochs=3)
    killed = Trainer("train", str(broken))
    killed.until("step", step=10)
    killed.kill()
    killed.end()
    first = broken / "models" / "zorp-000001.safetensors"
    before = first.stat()
    events = train(broken)
    assert events[0]["step"] == 6
    assert [event["epoch"] for event in _of(events, "saved")] == [2, 3]
    assert _of(events, "step")[0]["step"] == 7
    assert first.stat() == before
    assert _equal_loras(whole, broken, 3)


def test_a_paused_run_goes_on_from_its_very_step(tmp_path: Path, tiny_checkpoint: Path) -> None:
    whole = write_run(tmp_path / "whole", tiny_checkpoint, epochs=1)
    train(whole)
    paused = write_run(tmp_path / "paused", tiny_checkpoint, epochs=1)
    trainer = Trainer("train", str(paused))
    trainer.until("step", step=2)
    trainer.say('{"type": "pause"}')
    rest, code = trainer.end()
    assert code == 0 and rest[-1]["type"] == "paused" and rest[-2]["type"] == "stateSaved"
    events = train(paused)
    assert events[0]["step"] == rest[-1]["step"] < 6
    assert _equal_loras(whole, paused, 1)


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "Lion", "gradientAccumulationSteps": 2},
        {"optimizer": "Adafactor", "optimizerArgs": ["scale_parameter=True"], "lrScheduler": "polynomial"},
        {"optimizer": "Prodigy", "unetLr": 1, "textEncoderLr": 1, "optimizerArgs": ["use_bias_correction=True"]},
        {"optimizer": "AdamWScheduleFree", "lrScheduler": "constant", "lrWarmupSteps": 2},
        {"optimizer": "DAdaptAdam", "unetLr": 1, "textEncoderLr": 1, "optimizerArgs": ["decouple=True"]},
        {
            "optimizer": "AdamW",
            "batchSize": 1,
            "gradientAccumulationSteps": 3,
            "lossType": "smooth_l1",
            "minSnrGamma": 5,
            "multiresNoiseIterations": 4,
            "ipNoiseGamma": 0.1,
            "alphaMask": True,
            "priorPreservation": 1,
            "priorPreservationEvery": 3,
        },
        {
            "optimizer": "AdamW",
            "flipAug": True,
            "colorAug": True,
            "captionDropoutRate": 0.3,
            "captionTagDropoutRate": 0.3,
            "maxTokenLength": 150,
            "dynamicChunks": True,
        },
        {"optimizer": "AdamW", "emaDecay": 0.9, "lrWarmupSteps": 0.4, "stopTextEncoderAt": 0.6},
    ],
    ids=lambda settings: "-".join([settings["optimizer"], *list(settings)[1:2]]),
)
def test_a_run_that_is_paused_and_resumed_ends_like_an_unbroken_one_with_every_optimizer(
    settings: dict[str, Any], tmp_path: Path, tiny_checkpoint: Path
) -> None:
    whole = write_run(tmp_path / "whole", tiny_checkpoint, epochs=2, images=6, **settings)
    losses = [event["loss"] for event in _of(train(whole), "step")]
    paused = write_run(tmp_path / "paused", tiny_checkpoint, epochs=2, images=6, **settings)
    trainer = Trainer("train", str(paused))
    seen = trainer.until("step", step=3)
    trainer.say('{"type": "pause"}')
    rest, code = trainer.end()
    assert (rest[-1]["type"], code) == ("paused", 0), rest
    events = _of(seen + rest + train(paused), "step")
    assert [event["loss"] for event in events] == losses
    assert all(("optimizedLoss" in event) == ("minSnrGamma" in settings) for event in events)
    assert _equal_loras(whole, paused, 2)
    base = load_file(whole / "models" / "zorp-000001.safetensors")
    assert any(key.endswith("lora_up.weight") and value.abs().max() > 0 for key, value in base.items())


def test_an_option_that_the_optimizer_does_not_have_is_said_before_the_model_is_loaded(
    tmp_path: Path, tiny_checkpoint: Path
) -> None:
    run = write_run(tmp_path / "run", tiny_checkpoint, optimizerArgs=["momentum=0.9"])
    events, code = Trainer("train", str(run)).end()
    assert [event["type"] for event in events] == ["failed"]
    assert (events[0]["code"], code) == ("bad_plan", 1)
    assert "betas" in events[0]["message"] and "momentum=0.9" in events[0]["message"]


def test_a_closed_stdin_pauses_and_stop_stops(tmp_path: Path, tiny_checkpoint: Path) -> None:
    run = write_run(tmp_path / "run", tiny_checkpoint, epochs=1)
    trainer = Trainer("train", str(run))
    trainer.until("step", step=1)
    trainer.close_stdin()
    events, code = trainer.end()
    assert (events[-1]["type"], code) == ("paused", 0)
    trainer = Trainer("train", str(run))
    trainer.until("started")
    trainer.say('{"type": "stop"}')
    events, code = trainer.end()
    assert (events[-1]["type"], code) == ("stopped", 0)


def test_a_reader_that_dies_leaves_a_run_that_goes_on_later(tmp_path: Path, tiny_checkpoint: Path) -> None:
    run = write_run(tmp_path / "run", tiny_checkpoint, epochs=1, mixedPrecision="bf16")
    trainer = Trainer("train", str(run))
    trainer.until("step", step=2)
    assert trainer.hang_up() == 0
    assert train(run)[0]["step"] >= 2


def test_a_full_disk_is_said_and_the_run_ends_like_an_unbroken_one_once_there_is_room(
    tmp_path: Path, tiny_checkpoint: Path
) -> None:
    whole = write_run(tmp_path / "whole", tiny_checkpoint, epochs=1)
    train(whole)
    full = write_run(tmp_path / "full", tiny_checkpoint, epochs=1)
    size = (whole / "models" / "zorp.safetensors").stat().st_size
    events, code = Trainer("train", str(full), file_limit=size // 2).end()
    assert (events[-1]["type"], events[-1]["code"], code) == ("failed", "disk_full", 1)
    assert not list(full.rglob("*.part")) and not list(full.rglob("*.safetensors*zorp*"))
    train(full)
    assert _equal_loras(whole, full, 1)


def test_a_loss_that_is_not_finite_at_half_the_rate_too_ends_the_run_and_saves_nothing_broken(
    tmp_path: Path, tiny_checkpoint: Path
) -> None:
    run = write_run(tmp_path / "run", tiny_checkpoint, unetLr=1e30, maxGradNorm=0)
    events, code = Trainer("train", str(run)).end()
    assert (events[-1]["code"], code) == ("nan_loss", 1)
    assert "step 2" in events[-1]["message"]
    assert [event["step"] for event in _of(events, "started")] == [0, 0]
    assert "from the start with half" in _of(events, "warning")[0]["message"]
    assert not list((run / "models").glob("*")) if (run / "models").exists() else True


def test_numbers_that_break_in_a_later_epoch_cost_that_epoch_and_half_the_rate(
    tmp_path: Path, tiny_checkpoint: Path
) -> None:
    run = write_run(tmp_path / "run", tiny_checkpoint, epochs=2, lrScheduler="constant")
    paused = Trainer("train", str(run))
    paused.until("step", step=8)
    paused.say('{"type": "pause"}')
    rest, _ = paused.end()
    step = rest[-1]["step"]
    state = run / "state" / f"step-{step:08d}.safetensors"
    tensors = load_file(state)
    tensors["unet.value"].fill_(3e38)  # finite, but nothing that comes of it is
    save_file(tensors, state)
    events = train(run)
    assert [event["step"] for event in _of(events, "started")] == [step, 6]
    assert "end of epoch 1 with half" in _of(events, "warning")[0]["message"]
    assert {event["learningRate"] for event in _of(events, "step")} == {1e-3}
    assert [event["epoch"] for event in _of(events, "saved")] == [2] and events[-1]["type"] == "finished"


def test_a_loss_that_breaks_in_the_last_step_of_an_epoch_leaves_neither_a_lora_nor_a_broken_state(
    tmp_path: Path, tiny_checkpoint: Path
) -> None:
    run = write_run(tmp_path / "run", tiny_checkpoint, images=3, epochs=2, unetLr=1e30, heldOutImages=2)
    events, code = Trainer("train", str(run)).end()
    assert (events[-1]["code"], code, len(_of(events, "step"))) == ("nan_loss", 1, 2)
    assert not list(run.rglob("zorp*.safetensors")) and not list(run.rglob("step-*.safetensors"))


def test_what_is_wrong_before_the_first_step_is_said_in_a_sentence(tmp_path: Path, tiny_checkpoint: Path) -> None:
    run = write_run(tmp_path / "run", tiny_checkpoint)
    (run / "dataset" / "2_zorp" / "5.png").unlink()
    events, code = Trainer("train", str(run)).end()
    assert (events[-1]["code"], code) == ("crashed", 1)
    assert "5.png" in events[-1]["message"]


def test_a_lora_file_carries_kohyas_keys_and_metadata(tmp_path: Path, tiny_checkpoint: Path) -> None:
    run = write_run(tmp_path / "run", tiny_checkpoint, epochs=1, textEncoderLr=0, mixedPrecision="fp16")
    train(run)
    path = run / "models" / "zorp.safetensors"
    with safe_open(path, framework="pt") as file:
        metadata, keys = file.metadata(), set(file.keys())
    assert not any(key.startswith("lora_te_") for key in keys)
    assert "lora_unet_mid_block_attentions_0_transformer_blocks_0_ff_net_0_proj.lora_down.weight" in keys
    assert metadata["ss_output_name"] == "zorp" and metadata["ss_base_model_version"] == "sd_v1"
    assert json.loads(metadata["ss_tag_frequency"])["2_zorp"]["red"] == 6
    assert json.loads(path.with_suffix(".json").read_text())["activation text"] == "zorp"
    assert path.stat().st_nlink == 1


def test_each_epoch_gets_its_row_of_the_grid_and_a_pause_while_drawing_draws_only_the_rest(
    tmp_path: Path, tiny_checkpoint: Path
) -> None:
    run = write_run(tmp_path / "run", tiny_checkpoint, grid={**GRID, "enabled": True})
    trainer = Trainer("train", str(run))
    seen = trainer.until("cell", epoch=1)
    assert [(cell["epoch"], cell["weight"]) for cell in _of(seen, "cell")[:2]] == [(0, 0), (0, 0)]
    trainer.say('{"type": "pause"}')
    rest, code = trainer.end()
    assert (rest[-1], code) == ({"type": "paused", "step": 6, "time": rest[-1]["time"]}, 0)
    events = train(run)
    cells = _of(events, "cell")
    assert {(cell["epoch"], cell["weight"]) for cell in cells} == {(e, w) for e in (1, 2) for w in (0.5, 1, 1.5)}
    assert [sheet["epoch"] for sheet in _of(events, "sheet")] == [1, 2]
    assert [event["epoch"] for event in _of(events, "evaluated")] == [2]
    assert all((run / "grid" / cell["file"]).is_file() for cell in cells)
    assert events[-1]["gridSeconds"] > 0 and (run / "grid" / "sheet.png").is_file()
