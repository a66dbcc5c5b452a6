"""Single-file checkpoints of every layout, and every way in which they can be wrong."""

import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from safetensors.torch import load_file, save_file
from torch import Tensor

from tiny_checkpoint import TINY, tiny_config, tiny_modules, write_tiny_checkpoint
from trainer.failure import Failure
from trainer.model.base_model import BaseModel, load_base_model
from trainer.model.ldm_keys import unet_key, vae_key

OLD = "cond_stage_model.transformer."
NEW = "cond_stage_model.transformer.text_model."


def _load(path: Path, **options: Any) -> BaseModel:  # noqa: ANN401
    return load_base_model(path, device=torch.device("cpu"), dtype=torch.float32, **options)


def _copy(checkpoint: Path, folder: Path, state: dict[str, Tensor] | None = None, suffix: str = ".safetensors") -> Path:
    """The checkpoint's yaml and CLIP folder in `folder`, and beside them `state` as a file."""
    folder.mkdir(exist_ok=True)
    shutil.copytree(checkpoint.parent / "tiny-clip", folder / "tiny-clip")
    shutil.copyfile(checkpoint.with_suffix(".yaml"), folder / "tiny.yaml")
    path = folder / f"tiny{suffix}"
    if suffix == ".ckpt":
        torch.save({"state_dict": state, "global_step": 7}, path)
    else:
        save_file(state or load_file(checkpoint), path)
    return path


def _code(path: Path) -> str:
    with pytest.raises(Failure) as caught:
        _load(path)
    assert caught.value.message.endswith(".")
    return caught.value.code


@pytest.mark.parametrize("kind", ["sd1", "sd2", "sdxl"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_every_weight_arrives_in_its_place_whatever_the_files_precision(
    tmp_path: Path, dtype: torch.dtype, kind: str
) -> None:
    base = _load(write_tiny_checkpoint(tmp_path, kind=kind, dtype=dtype))
    unet, texts, vae = tiny_modules(kind)
    for expected, module in zip((unet, *texts, vae), (base.unet, *base.text_encoders, base.vae), strict=True):
        state = module.state_dict()
        assert not any(tensor.is_meta for tensor in [*module.parameters(), *module.buffers()])
        assert state.keys() == expected.state_dict().keys()
        assert all(torch.equal(value.to(dtype).float(), state[key]) for key, value in expected.state_dict().items())
    assert base.config == tiny_config(kind) and base.name == "tiny"


@pytest.mark.parametrize("name", ["v_pred", "ztsnr"])
def test_a_checkpoint_says_itself_what_it_predicts(tmp_path: Path, name: str) -> None:
    marks = ("v_pred", "ztsnr") if name == "ztsnr" else ("v_pred",)
    base = _load(write_tiny_checkpoint(tmp_path, kind="sdxl", marks=marks))
    assert base.prediction == "v"
    assert base.config.zero_terminal_snr == (name == "ztsnr") == (float(base.alphas_cumprod[-1]) == 0)


@pytest.mark.parametrize(
    ("metadata", "prediction"),
    [
        ({"modelspec.prediction_type": "v"}, "v"),
        ({"modelspec.prediction_type": "epsilon"}, "epsilon"),
        ({"modelspec.architecture": "stable-diffusion-v2-768-v"}, "v"),
        ({"modelspec.architecture": "stable-diffusion-v2-512"}, "epsilon"),
        ({}, "epsilon"),
    ],
)
def test_the_metadata_of_a_stable_diffusion_2_tells_its_prediction(
    tmp_path: Path, metadata: dict[str, str], prediction: str
) -> None:
    path = write_tiny_checkpoint(tmp_path, kind="sd2", metadata=metadata)
    assert _load(path).config == tiny_config("sd2", prediction)
    assert _load(path, prediction="v").prediction == "v"
    assert _load(path, prediction="epsilon").prediction == "epsilon"


def test_the_yaml_beside_a_stable_diffusion_2_counts_more_than_its_metadata(tmp_path: Path) -> None:
    path = write_tiny_checkpoint(tmp_path, kind="sd2", metadata={"modelspec.prediction_type": "epsilon"})
    params = {
        **TINY["model"]["params"],
        "parameterization": "v",
        "cond_stage_config": {"params": {"layer": "penultimate"}},
    }
    params["unet_config"] = {"params": {"image_size": 96, "num_head_channels": 64}}
    path.with_suffix(".yaml").write_text(yaml.safe_dump({"model": {"params": params}}))
    assert _load(path).config == tiny_config("sd2", "v")


def test_a_wide_bias_in_the_last_attention_marks_a_stable_diffusion_2_that_predicts_v(tmp_path: Path) -> None:
    path = write_tiny_checkpoint(tmp_path, kind="sd2")
    state = load_file(path)
    for width, prediction in ((0.02, "epsilon"), (0.2, "v")):
        state["model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias"] = width * torch.randn(320)
        save_file(state, path)
        assert _load(path).prediction == prediction


@pytest.mark.parametrize("layout", ["plain", "prefixed", "diffusers"])
def test_a_separate_autoencoder_takes_the_place_of_the_models_own(
    tmp_path: Path, tiny_checkpoint: Path, layout: str
) -> None:
    path = tmp_path / "other-vae.safetensors"
    own = {key: value for key, value in load_file(tiny_checkpoint).items() if key.startswith("first_stage_model.")}
    other = {key: value + 1 for key, value in own.items()}
    if layout == "plain":
        other = {key.removeprefix("first_stage_model."): value for key, value in other.items()}
    elif layout == "diffusers":
        vae = AutoencoderKL(**_DIFFUSERS_VAE)
        other = {key: other[vae_key(key, levels=4)].reshape(value.shape) for key, value in vae.state_dict().items()}
    save_file(other, path)
    found = _load(tiny_checkpoint, vae_path=path).vae.state_dict()
    assert all(torch.equal(found[key.removeprefix("first_stage_model.")], value + 1) for key, value in own.items())


_DIFFUSERS_UNET = {
    "sample_size": 8,
    "block_out_channels": (32, 32, 64, 64),
    "layers_per_block": 2,
    "cross_attention_dim": 32,
    "attention_head_dim": 4,
}
_DIFFUSERS_VAE = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (32,) * 4,
    "layers_per_block": 0,
    "latent_channels": 4,
}


def test_the_key_map_agrees_with_diffusers_own_conversion(tiny_checkpoint: Path) -> None:
    state = load_file(tiny_checkpoint)
    unet, vae = UNet2DConditionModel(**_DIFFUSERS_UNET), AutoencoderKL(**_DIFFUSERS_VAE)
    converted = convert_ldm_unet_checkpoint(dict(state), dict(unet.config))
    assert converted.keys() == unet.state_dict().keys()
    for key, value in converted.items():
        assert torch.equal(value, state[unet_key(key, layers=2, attention_levels=frozenset({1, 2, 3}))])
    converted = convert_ldm_vae_checkpoint(dict(state), dict(vae.config))
    assert converted.keys() == vae.state_dict().keys()
    for key, value in converted.items():
        assert torch.equal(value.flatten(), state[vae_key(key, levels=4)].flatten())


def test_an_old_text_encoder_layout_and_a_pickled_file_load_alike(tmp_path: Path, tiny_checkpoint: Path) -> None:
    state = load_file(tiny_checkpoint)
    old = {key.replace(NEW, OLD): value for key, value in state.items()}
    expected = _load(tiny_checkpoint).text_encoders[0].state_dict()
    for suffix in (".safetensors", ".ckpt"):
        path = _copy(tiny_checkpoint, tmp_path / suffix[1:], old, suffix)
        found = _load(path).text_encoders[0].state_dict()
        assert all(torch.equal(value, found[key]) for key, value in expected.items())


def test_parts_that_nobody_asked_for_take_no_memory(tiny_checkpoint: Path) -> None:
    base = _load(tiny_checkpoint, parts=frozenset({"unet", "vae_encoder"}))
    assert all(parameter.is_meta for parameter in base.vae.decoder.parameters())
    assert all(parameter.is_meta for parameter in base.text_encoders[0].parameters())
    assert not any(parameter.is_meta for parameter in [*base.vae.encoder.parameters(), *base.unet.parameters()])


def test_a_missing_and_a_damaged_file_are_told_apart(tmp_path: Path, tiny_checkpoint: Path) -> None:
    assert _code(tmp_path / "gone.safetensors") == "base_model_missing"
    path = _copy(tiny_checkpoint, tmp_path / "a")
    path.write_bytes(path.read_bytes()[:100_000])
    assert _code(path) == "base_model_corrupt"
    path.write_text("this is no checkpoint")
    assert _code(path) == "base_model_corrupt"
    path.write_bytes(b"")
    assert _code(path) == "base_model_corrupt"
    text = tmp_path / "text.ckpt"
    text.write_text("neither is this")
    assert _code(text) == "base_model_corrupt"


def test_a_truncated_pickled_file_is_damaged(tmp_path: Path, tiny_checkpoint: Path) -> None:
    path = _copy(tiny_checkpoint, tmp_path / "a", load_file(tiny_checkpoint), ".ckpt")
    path.write_bytes(path.read_bytes()[:-200_000])
    assert _code(path) == "base_model_corrupt"


class _Harm:
    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self._trace}",)


@pytest.mark.parametrize("form", ["zip", "legacy", "plain", "protocol 0"])
def test_a_file_that_holds_code_is_refused_and_never_run(tmp_path: Path, form: str) -> None:
    trace, path = tmp_path / "trace", tmp_path / "evil.ckpt"
    content = {"state_dict": {"a": torch.zeros(2)}, "more": _Harm(trace)}
    if form == "plain":
        path.write_bytes(pickle.dumps(content["more"]))
    elif form == "protocol 0":
        path.write_bytes(pickle.dumps(content["more"], protocol=0))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    assert _code(path) == "base_model_unsafe"
    assert not trace.exists()


@pytest.mark.parametrize(
    ("key", "family"),
    [
        ("conditioner.embedders.0.model.ln_final.weight", "refiner"),
        ("model.diffusion_model.joint_blocks.0.x_block.attn.proj.weight", "Diffusion 3"),
        ("lora_unet_mid_block_attentions_0_proj_in.alpha", "LoRA"),
    ],
)
def test_a_model_of_another_family_is_named(tmp_path: Path, key: str, family: str) -> None:
    path = tmp_path / "other.safetensors"
    save_file({key: torch.zeros(2), "model.diffusion_model.input_blocks.0.0.weight": torch.zeros(2, 4, 3, 3)}, path)
    with pytest.raises(Failure, match=family) as caught:
        _load(path)
    assert caught.value.code == "base_model_unsupported"


def test_an_inpainting_model_and_a_misfit_are_unsupported(tmp_path: Path, tiny_checkpoint: Path) -> None:
    state = load_file(tiny_checkpoint)
    state["model.diffusion_model.input_blocks.0.0.weight"] = torch.zeros(32, 9, 3, 3)
    assert _code(_copy(tiny_checkpoint, tmp_path / "inpaint", state)) == "base_model_unsupported"
    path = _copy(tiny_checkpoint, tmp_path / "misfit")
    path.with_suffix(".yaml").unlink()
    assert _code(path) == "base_model_unsupported"


def test_a_broken_yaml_is_said(tmp_path: Path, tiny_checkpoint: Path) -> None:
    path = _copy(tiny_checkpoint, tmp_path / "a")
    path.with_suffix(".yaml").write_text("model: [")
    assert _code(path) == "base_model_corrupt"
    path.with_suffix(".yaml").write_text(json.dumps({"model": {"params": {"cond_stage_config": {"target": "a"}}}}))
    assert _code(path) == "base_model_corrupt"
