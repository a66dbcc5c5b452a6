"""Single-file checkpoints of every layout, and every way in which they can be wrong."""

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from safetensors.torch import load_file, save_file
from torch import Tensor

from tiny_checkpoint import tiny_modules, write_tiny_checkpoint
from trainer.base_model import BaseModel, load_base_model
from trainer.failure import Failure

OLD = "cond_stage_model.transformer."
NEW = "cond_stage_model.transformer.text_model."


def _load(path: Path, **options: frozenset[str]) -> BaseModel:
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


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_every_weight_arrives_in_its_place_whatever_the_files_precision(tmp_path: Path, dtype: torch.dtype) -> None:
    base = _load(write_tiny_checkpoint(tmp_path, dtype=dtype))
    for expected, module in zip(tiny_modules(base.path), (base.unet, base.text_encoder, base.vae), strict=True):
        state = module.state_dict()
        assert not any(tensor.is_meta for tensor in [*module.parameters(), *module.buffers()])
        assert all(torch.equal(value.to(dtype).float(), state[key]) for key, value in expected.state_dict().items())
    assert base.resolution == 64 and base.name == "tiny"


def test_the_key_map_agrees_with_diffusers_own_conversion(tiny_base: BaseModel) -> None:
    state = load_file(tiny_base.path)
    unet = convert_ldm_unet_checkpoint(dict(state), dict(tiny_base.unet.config))
    vae = convert_ldm_vae_checkpoint(dict(state), dict(tiny_base.vae.config))
    for converted, module in ((unet, tiny_base.unet), (vae, tiny_base.vae)):
        mine = module.state_dict()
        assert converted.keys() == mine.keys()
        assert all(torch.equal(value.float().reshape(mine[key].shape), mine[key]) for key, value in converted.items())


def test_an_old_text_encoder_layout_and_a_pickled_file_load_alike(tmp_path: Path, tiny_checkpoint: Path) -> None:
    state = load_file(tiny_checkpoint)
    old = {key.replace(NEW, OLD): value for key, value in state.items()}
    expected = _load(tiny_checkpoint).text_encoder.state_dict()
    for suffix in (".safetensors", ".ckpt"):
        path = _copy(tiny_checkpoint, tmp_path / suffix[1:], old, suffix)
        found = _load(path).text_encoder.state_dict()
        assert all(torch.equal(value, found[key]) for key, value in expected.items())


def test_parts_that_nobody_asked_for_take_no_memory(tiny_checkpoint: Path) -> None:
    base = _load(tiny_checkpoint, parts=frozenset({"unet", "vae_encoder"}))
    assert all(parameter.is_meta for parameter in base.vae.decoder.parameters())
    assert all(parameter.is_meta for parameter in base.text_encoder.parameters())
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
        ("conditioner.embedders.1.model.ln_final.weight", "XL"),
        ("cond_stage_model.model.transformer.resblocks.0.ln_1.weight", "2.x"),
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
