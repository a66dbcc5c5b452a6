"""Every kind of base model is trained, saved, gone on with and drawn by the same few commands."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from diffusers_model import make_model, write_folder
from run_folder import Trainer, change_plan, train, write_run
from tiny_checkpoint import write_tiny_checkpoint

KINDS = [("sd1", "epsilon"), ("sd2", "epsilon"), ("sd2", "v"), ("sdxl", "epsilon"), ("sdxl", "v")]
SMALL_GRID = {
    "enabled": True,
    "weights": [1],
    "prompts": ["zorp, red"],
    "negativePrompt": "",
    "seeds": [1],
    "sampler": "ddim",
    "steps": 2,
    "cfgScale": 4,
}
VERSIONS = {
    ("sd1", "epsilon"): ("sd_v1", "False", "stable-diffusion-v1/lora"),
    ("sd2", "epsilon"): ("sd_v2", "True", "stable-diffusion-v2-512/lora"),
    ("sd2", "v"): ("sd_v2_v", "True", "stable-diffusion-v2-768-v/lora"),
    ("sdxl", "epsilon"): ("sdxl_base_v1-0", "False", "stable-diffusion-xl-v1-base/lora"),
    ("sdxl", "v"): ("sdxl_base_v1-0", "False", "stable-diffusion-xl-v1-base/lora"),
}


def _run(folder: Path, kind: str, prediction: str, **settings: object) -> Path:
    marks = ("v_pred", "ztsnr") if (kind, prediction) == ("sdxl", "v") else ()
    base = write_tiny_checkpoint(folder / "base", kind=kind, marks=marks)
    run = write_run(
        folder,
        base,
        images=4,
        epochs=1,
        batchSize=1,
        textEncoder2Lr=1e-3,
        clipSkip=2 if kind == "sdxl" else 1,
        heldOutImages=2,
        **{"grid": {**SMALL_GRID, "enabled": False}, **settings},
    )
    model = json.loads((run / "plan.json").read_text())["baseModel"]
    change_plan(run, baseModel={**model, "kind": kind, "prediction": prediction})
    return run


@pytest.mark.parametrize(("kind", "prediction"), KINDS)
def test_a_run_ends_in_a_file_with_kohyas_names_and_a_grid(tmp_path: Path, kind: str, prediction: str) -> None:
    events = train(_run(tmp_path, kind, prediction, grid=SMALL_GRID))
    cells = [event for event in events if event["type"] == "cell"]
    assert len(cells) == 2 and all((tmp_path / "grid" / cell["file"]).is_file() for cell in cells)
    path = tmp_path / "models" / "zorp.safetensors"
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    version, is_v2, architecture = VERSIONS[kind, prediction]
    assert metadata["ss_base_model_version"] == version and metadata["ss_v2"] == is_v2
    assert metadata["modelspec.architecture"] == architecture
    assert metadata["modelspec.prediction_type"] == prediction
    names = {key.rpartition(".lora_")[0] for key in load_file(path) if ".lora_" in key}
    prefixes = {name.split("_")[1] for name in names}
    assert prefixes == ({"unet", "te1", "te2"} if kind == "sdxl" else {"unet", "te"})
    block = "input_blocks_" if kind == "sdxl" else "down_blocks_"
    assert any(name.startswith(f"lora_unet_{block}") for name in names)
    if kind == "sdxl":
        # The last layer of the first encoder is never asked; the second one's gives the pooled output.
        assert not any("te1_text_model_encoder_layers_2" in name for name in names)
        assert any("te2_text_model_encoder_layers_2" in name for name in names)


@pytest.mark.parametrize(("kind", "prediction"), [("sd2", "v"), ("sdxl", "epsilon")])
def test_a_resumed_run_is_the_unbroken_one_bit_for_bit(tmp_path: Path, kind: str, prediction: str) -> None:
    train(_run(tmp_path / "whole", kind, prediction))
    broken = _run(tmp_path / "broken", kind, prediction)
    trainer = Trainer("train", str(broken))
    trainer.until("step", step=2)
    trainer.say('{"type": "pause"}')
    assert trainer.end()[0][-1]["type"] == "paused"
    train(broken)
    whole, resumed = (load_file(tmp_path / name / "models" / "zorp.safetensors") for name in ("whole", "broken"))
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(value, resumed[key]) for key, value in whole.items())


def test_a_folder_in_diffusers_layout_is_trained_on_like_a_file(tmp_path: Path) -> None:
    folder = write_folder(make_model("sd1"), tmp_path / "model")
    train(write_run(tmp_path / "run", folder, images=4, epochs=1, batchSize=2))
    assert (tmp_path / "run" / "models" / "zorp.safetensors").is_file()


def test_the_users_word_on_prediction_and_autoencoder_counts(tmp_path: Path) -> None:
    run = _run(tmp_path, "sd2", "epsilon", predictionType="v", vae=str(tmp_path / "other.safetensors"))
    tensors = load_file(tmp_path / "base" / "tiny.safetensors")
    other = {key: value for key, value in tensors.items() if key.startswith("first_stage_model.")}
    torch.save(other, tmp_path / "other.pt")
    change = json.loads((run / "plan.json").read_text())["settings"]
    change_plan(run, settings={**change, "vae": str(tmp_path / "other.pt")})
    train(run)
    with safe_open(tmp_path / "models" / "zorp.safetensors", framework="pt") as file:
        metadata = file.metadata()
    assert metadata["ss_base_model_version"] == "sd_v2_v" and metadata["ss_vae_name"] == "other.pt"
    assert len(metadata["ss_new_vae_hash"]) == 64
