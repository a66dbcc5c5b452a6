"""Our modules against diffusers' and transformers': same weights, same numbers, same gradients."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from diffusers_model import KINDS, DiffusersModel, make_model, write_folder
from trainer.failure import Failure
from trainer.model.base_model import BaseModel, load_base_model
from trainer.model.text import encode_tokens, tokenize

LONG = ", ".join(f"tag {index}" for index in range(60))
Pair = tuple[DiffusersModel, BaseModel]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Pair]:
    made: dict[str, Pair] = {}

    def get(kind: str) -> Pair:
        if kind not in made:
            model = make_model(kind)
            folder = write_folder(model, tmp_path_factory.mktemp(kind))
            made[kind] = model, load_base_model(folder, device=torch.device("cpu"), dtype=torch.float32)
        return made[kind]

    return get


def _close(found: Tensor, expected: Tensor) -> bool:
    return float((found - expected).norm() / expected.norm()) < 1e-5


@pytest.mark.parametrize("size", [(8, 8), (10, 6), (7, 9)])
@pytest.mark.parametrize("kind", KINDS)
def test_the_unet_and_the_gradients_of_its_inputs(
    pair: Callable[[str], Pair], kind: str, size: tuple[int, int]
) -> None:
    model, base = pair(kind)
    latents = torch.randn(2, 4, *size, generator=torch.Generator().manual_seed(1)).requires_grad_()
    context = torch.randn(2, 5, model.unet.config.cross_attention_dim).requires_grad_()
    pooled, sizes = torch.randn(2, 32), torch.randint(0, 1024, (2, 6))
    added = {"text_embeds": pooled, "time_ids": sizes} if kind == "sdxl" else None
    vector = None
    if added:
        vector = torch.cat([pooled, model.unet.add_time_proj(sizes.flatten()).reshape(2, -1)], dim=-1)
    steps = torch.tensor([3, 981])
    expected = model.unet(latents, steps, context, added_cond_kwargs=added).sample
    wanted = torch.autograd.grad(expected.square().sum(), (latents, context))
    found = base.unet(latents, steps, context, vector)
    gradients = torch.autograd.grad(found.square().sum(), (latents, context))
    assert _close(found, expected)
    assert all(_close(mine, theirs) for mine, theirs in zip(gradients, wanted, strict=True))
    with torch.no_grad():
        assert _close(base.unet(latents, steps, context, vector), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_autoencoder_both_ways(pair: Callable[[str], Pair], kind: str) -> None:
    model, base = pair(kind)
    pictures = torch.rand(2, 3, 48, 64) * 2 - 1
    assert _close(base.vae.encode(pictures), model.vae.encode(pictures).latent_dist.mean)
    latents = torch.randn(2, 4, 6, 8)
    assert _close(base.vae.decode(latents), model.vae.decode(latents).sample)


@pytest.mark.parametrize("chunks", [1, 2, 3])
@pytest.mark.parametrize("clip_skip", [1, 2, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_text_encoders_at_every_clip_skip_and_length(
    pair: Callable[[str], Pair], kind: str, clip_skip: int, chunks: int
) -> None:
    model, base = pair(kind)
    tokens = tokenize(base, [LONG, "a red cat"], 75 * chunks)
    found = encode_tokens(base, tokens, clip_skip=clip_skip)
    contexts = []
    for index, text_encoder in enumerate(model.text_encoders):
        ids = tokens.flatten(0, 1).clone()
        if kind == "sd2" or index == 1:
            # OpenCLIP's filling is 0 behind the end.
            for row in ids:
                row[int((row == 49407).int().argmax()) + 1 :] = 0
        output = text_encoder(ids, output_hidden_states=True)
        hidden = output.hidden_states[-clip_skip]
        if kind != "sdxl":
            hidden = text_encoder.final_layer_norm(hidden)
        contexts.append(hidden)
    hidden = torch.cat(contexts, dim=-1).unflatten(0, (2, chunks))
    joined = torch.cat([hidden[:, 0, :1], hidden[:, :, 1:-1].flatten(1, 2), hidden[:, -1, -1:]], dim=1)
    assert _close(found.context, joined)
    if kind == "sdxl":
        assert found.pooled is not None
        assert _close(found.pooled, output.text_embeds.unflatten(0, (2, chunks))[:, 0])
    else:
        assert found.pooled is None


@pytest.mark.parametrize("clip_skip", [2, 3])
def test_layers_that_clip_skip_leaves_out_are_not_even_there(
    pair: Callable[[str], Pair], clip_skip: int, tmp_path: Path
) -> None:
    model, base = pair("sd1")
    lean = load_base_model(base.path, device=base.device, dtype=base.dtype, clip_skip=clip_skip)
    tokens = tokenize(base, ["a red cat"], 75)
    expected = encode_tokens(base, tokens, clip_skip=clip_skip).context
    assert torch.equal(encode_tokens(lean, tokens, clip_skip=clip_skip).context, expected)
    assert not any(f"layers.{5 - clip_skip}." in name for name, _ in lean.text_encoders[0].named_parameters())
    with pytest.raises(ValueError, match="left out"):
        encode_tokens(lean, tokens, clip_skip=1)


@pytest.mark.parametrize("form", ["shards", "half precision", "pickled", "text layers of transformers 4"])
def test_every_way_in_which_diffusers_writes_a_folder_is_read(
    pair: Callable[[str], Pair], tmp_path: Path, form: str
) -> None:
    model, base = pair("sd1")
    folder = write_folder(model, tmp_path)
    unet, text = folder / "unet" / "diffusion_pytorch_model.safetensors", folder / "text_encoder" / "model.safetensors"
    if form == "shards":
        unet.unlink()
        model.unet.save_pretrained(folder / "unet", max_shard_size="500KB")
        assert len(list((folder / "unet").glob("*.safetensors"))) > 2
    elif form == "half precision":
        tensors = {key: value.half() for key, value in load_file(unet).items()}
        unet.unlink()
        save_file(tensors, unet.with_name("diffusion_pytorch_model.fp16.safetensors"))
    elif form == "pickled":
        torch.save(load_file(unet), unet.with_suffix(".bin"))
        unet.unlink()
    else:
        tensors = load_file(text)
        older = {f"text_model.{key.removeprefix('text_model.')}": value for key, value in tensors.items()}
        newer = {key.removeprefix("text_model."): value for key, value in older.items()}
        for layout in (older, newer):
            save_file(layout, text)
            found = load_base_model(folder, device=base.device, dtype=base.dtype).text_encoders[0].state_dict()
            assert all(torch.equal(value, found[key]) for key, value in base.text_encoders[0].state_dict().items())
    found = load_base_model(folder, device=base.device, dtype=base.dtype).unet.state_dict()
    atol = 1e-3 if form == "half precision" else 0
    assert all(torch.allclose(value, found[key], rtol=1e-3, atol=atol) for key, value in base.unet.state_dict().items())


def test_a_folder_that_lacks_weights_or_is_no_model_is_refused(tmp_path: Path) -> None:
    def code(folder: Path) -> str:
        with pytest.raises(Failure) as caught:
            load_base_model(folder, device=torch.device("cpu"), dtype=torch.float32)
        return caught.value.code

    assert code(tmp_path) == "base_model_unsupported"
    folder = write_folder(make_model("sd1"), tmp_path / "model")
    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    assert code(folder) == "base_model_missing"
    folder = write_folder(make_model("sd1"), tmp_path / "other")
    (folder / "scheduler" / "scheduler_config.json").write_text("{")
    assert code(folder) == "base_model_corrupt"
