"""Whole runs of the trainer with every kind of network."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from run_folder import GRID, Trainer, train, write_run
from trainer.network.read_lora import read_lora, read_lora_metadata
from trainer.tools.convert import convert
from trainer.tools.requests import Convert

KINDS: dict[str, dict[str, Any]] = {
    "lora": {"networkDropout": 0.1, "rankDropout": 0.1, "moduleDropout": 0.1, "loraPlusRatio": 4},
    "locon": {"networkType": "locon", "convDim": 2, "convAlpha": 2, "scaleWeightNorms": 0.05},
    "dora": {"networkType": "dora", "convDim": 2, "rankDropout": 0.2, "loraPlusRatio": 2},
    "loha": {"networkType": "loha", "convDim": 2, "moduleDropout": 0.2, "scaleWeightNorms": 0.5},
    "lokr": {"networkType": "lokr", "convDim": 2, "networkDim": 2, "lokrFactor": 4, "decomposeBoth": True},
}
PROJECTION = "lora_unet_mid_block_attentions_0_proj_in"
CONVOLUTION = "lora_unet_mid_block_resnets_0_conv1"


def _keys(file: Path, name: str) -> set[str]:
    return {key.partition(".")[2] for key in load_file(file) if key.startswith(f"{name}.")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_paused_and_resumed_ends_like_an_unbroken_one_with_every_network(
    kind: str, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    whole, paused = (
        write_run(tmp_path / name, tiny_checkpoint, epochs=1, images=6, **KINDS[kind]) for name in ("whole", "paused")
    )
    train(whole)
    trainer = Trainer("train", str(paused))
    trainer.until("step", step=1)
    trainer.say('{"type": "pause"}')
    rest, code = trainer.end()
    assert code == 0 and rest[-1]["type"] == "paused"
    train(paused)
    first, second = (load_file(folder / "models" / "zorp.safetensors") for folder in (whole, paused))
    assert first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize(
    ("kind", "module", "keys", "args"),
    [
        ("lora", "networks.lora", {"lora_down.weight", "lora_up.weight"}, {"loraplus_lr_ratio": "4"}),
        ("locon", "networks.lora", {"lora_down.weight", "lora_up.weight"}, {"conv_dim": "2", "conv_alpha": "2"}),
        (
            "dora",
            "lycoris.kohya",
            {"lora_down.weight", "lora_up.weight", "dora_scale"},
            {"algo": "lora", "dora_wd": "True", "wd_on_output": "False"},
        ),
        ("loha", "lycoris.kohya", {"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"}, {"algo": "loha"}),
        (
            "lokr",
            "lycoris.kohya",
            {"lokr_w1", "lokr_w2_a", "lokr_w2_b"},
            {"algo": "lokr", "factor": "4", "decompose_both": "True"},
        ),
    ],
)
def test_a_file_says_what_it_is_and_has_the_keys_of_its_kind(
    kind: str, module: str, keys: set[str], args: dict[str, str], tmp_path: Path, tiny_checkpoint: Path
) -> None:
    run = write_run(tmp_path, tiny_checkpoint, epochs=1, images=6, **KINDS[kind])
    events = train(run)
    file = run / "models" / "zorp.safetensors"
    assert _keys(file, PROJECTION) == {*keys, "alpha"}
    assert bool(_keys(file, CONVOLUTION)) == ("convDim" in KINDS[kind])
    metadata = read_lora_metadata(file)
    assert metadata["ss_network_module"] == module
    assert args.items() <= json.loads(metadata["ss_network_args"]).items()
    scaled = [event.get("keysScaled") for event in events if event["type"] == "step"]
    assert all((count is not None) == ("scaleWeightNorms" in KINDS[kind]) for count in scaled)
    with safe_open(file, framework="pt") as opened:
        assert all(opened.get_tensor(key).dtype == torch.float16 for key in opened.keys())  # noqa: SIM118


@pytest.mark.parametrize("kind", ["dora", "loha", "lokr"])
def test_the_grid_shows_each_kind(kind: str, tmp_path: Path, tiny_checkpoint: Path) -> None:
    grid = {**GRID, "enabled": True, "steps": 2, "weights": [0.5, 1]}
    run = write_run(tmp_path, tiny_checkpoint, epochs=1, images=6, grid=grid, unetLr=0.05, **KINDS[kind])
    events = train(run)
    assert sum(event["type"] == "cell" for event in events) == 2 + 4
    assert not [event for event in events if event["type"] == "warning"]
    cells = [(run / "grid" / event["file"]).read_bytes() for event in events if event["type"] == "cell"]
    assert len(set(cells)) == len(cells)


@pytest.mark.parametrize("style", ["kohya", "peft"])
def test_training_goes_on_from_a_lora_with_the_dims_of_the_file(
    style: str, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    first = write_run(tmp_path / "first", tiny_checkpoint, epochs=1, images=6, networkDim=3)
    train(first)
    start = first / "models" / "zorp.safetensors"
    if style == "peft":
        convert(Convert(str(start), str(tmp_path / "peft.safetensors"), "peft"))
        start = tmp_path / "peft.safetensors"
    second = write_run(
        tmp_path / "second", tiny_checkpoint, epochs=1, images=6, networkDim=9, networkWeights=str(start), unetLr=1e-9,
        textEncoderLr=0,
    )  # fmt: skip
    train(second)
    file = second / "models" / "zorp.safetensors"
    before, after = read_lora(start).modules, read_lora(file).modules
    assert before.keys() == after.keys()
    for name, module in before.items():
        assert after[name].rank == 3
        assert torch.allclose(module.down.float(), after[name].down.float(), atol=1e-3)  # type: ignore[union-attr]
    assert read_lora_metadata(file)["ss_network_dim"] == "3"


def test_a_start_that_belongs_to_another_model_is_said_in_a_sentence(tmp_path: Path, tiny_checkpoint: Path) -> None:
    first = write_run(tmp_path / "first", tiny_checkpoint, epochs=1, images=6)
    run = write_run(tmp_path / "second", tiny_checkpoint, networkWeights=str(first / "none.safetensors"))
    events, code = Trainer("train", str(run)).end()
    assert code == 1 and events[-1]["code"] == "lora_corrupt" and "no such file" in events[-1]["message"]
