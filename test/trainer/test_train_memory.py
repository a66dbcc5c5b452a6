"""Whole runs that save memory."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from run_folder import GRID, Trainer, train, write_run
from trainer.network.read_lora import read_lora_metadata


def test_a_run_with_gradient_checkpointing_ends_with_the_same_lora(tmp_path: Path, tiny_checkpoint: Path) -> None:
    files = []
    for on in (False, True):
        run = write_run(tmp_path / str(on), tiny_checkpoint, epochs=1, images=6, gradientCheckpointing=on)
        train(run)
        files.append(run / "models" / "zorp.safetensors")
        assert read_lora_metadata(files[-1])["ss_gradient_checkpointing"] == str(on)
    first, second = map(load_file, files)
    assert first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("packing", ["fp8", "int8"])
def test_a_run_on_packed_weights_learns_nearly_the_same_and_draws_by_them(
    packing: str, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    grid = {**GRID, "enabled": True, "steps": 2, "weights": [1]}
    found = {}
    for way in ("full", packing):
        run = write_run(tmp_path / way, tiny_checkpoint, epochs=1, images=6, baseWeights=way, grid=grid)
        events = train(run)
        assert sum(event["type"] == "cell" for event in events) == 4
        losses = [event["loss"] for event in events if event["type"] == "step"]
        found[way] = losses, [event["trainLoss"] for event in events if event["type"] == "evaluated"]
        metadata = read_lora_metadata(run / "models" / "zorp.safetensors")
        assert metadata["ss_fp8_base_unet"] == str(way == "fp8")
    assert found[packing] != found["full"]
    for mine, theirs in zip(found[packing], found["full"], strict=True):
        assert mine == pytest.approx(theirs, rel=0.02)


def test_a_paused_run_on_packed_weights_ends_like_an_unbroken_one(tmp_path: Path, tiny_checkpoint: Path) -> None:
    options = {"baseWeights": "int8", "gradientCheckpointing": True, "networkType": "locon", "convDim": 2}
    whole, paused = (
        write_run(tmp_path / name, tiny_checkpoint, epochs=1, images=6, **options) for name in ("whole", "paused")
    )
    train(whole)
    trainer = Trainer("train", str(paused))
    trainer.until("step", step=1)
    trainer.say('{"type": "pause"}')
    assert trainer.end()[1] == 0
    train(paused)
    first, second = (load_file(folder / "models" / "zorp.safetensors") for folder in (whole, paused))
    assert first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)
