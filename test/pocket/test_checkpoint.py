from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import (
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
    create_unet_diffusers_config_from_ldm,
    create_vae_diffusers_config_from_ldm,
)
from PIL import Image
from safetensors.torch import load_file

from pocket.checkpoint import read_checkpoint
from pocket.demo_dataset import write_demo_dataset
from pocket.nets import encode_text
from pocket.train_vae import draw_mosslings, draw_stack, to_signed
from pocket.vae import psnr
from pocket.words import load_tokenizer, token_ids

MODEL = Path(__file__).parents[2] / "trainer-py" / "pocket" / "model"
Nets = tuple[UNet2DConditionModel, AutoencoderKL, torch.nn.Module]


@pytest.fixture(scope="module")
def nets() -> Nets:
    return read_checkpoint(MODEL / "pocket.safetensors")


@pytest.fixture(scope="module")
def tensors() -> dict[str, torch.Tensor]:
    return load_file(MODEL / "pocket.safetensors")


@pytest.fixture(scope="module")
def sidecar() -> dict:
    return yaml.safe_load((MODEL / "pocket.yaml").read_text())


def test_the_file_is_small_and_finite(tensors: dict[str, torch.Tensor]) -> None:
    assert (MODEL / "pocket.safetensors").stat().st_size <= 40_000_000
    assert all(torch.isfinite(value).all() for value in tensors.values())


def test_the_file_holds_what_loaders_of_stable_diffusion_1_look_for(tensors: dict[str, torch.Tensor]) -> None:
    shapes = {
        "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": (64, 96),
        "model.diffusion_model.output_blocks.11.1.proj_in.weight": (64, 64, 1, 1),
        "first_stage_model.decoder.mid.attn_1.q.weight": (64, 64, 1, 1),
        "first_stage_model.quant_conv.weight": (8, 8, 1, 1),
        "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight": (49408, 96),
        "cond_stage_model.transformer.text_model.embeddings.position_ids": (1, 77),
        "alphas_cumprod": (1000,),
    }
    assert {key: tuple(tensors[key].shape) for key in shapes} == shapes
    assert tensors["betas"][0].item() == pytest.approx(0.00085, abs=1e-6)
    assert tensors["betas"][-1].item() == pytest.approx(0.012, abs=1e-6)


def test_the_unet_read_by_diffusers_from_the_sidecar_gives_the_same_noise(
    nets: Nets, tensors: dict[str, torch.Tensor], sidecar: dict
) -> None:
    config = create_unet_diffusers_config_from_ldm(sidecar, dict(tensors), image_size=16)
    unet = UNet2DConditionModel(**config).eval()
    converted = convert_ldm_unet_checkpoint(dict(tensors), config)
    unet.load_state_dict({key: value.float() for key, value in converted.items()})
    torch.manual_seed(0)
    latents, context = torch.randn(2, 4, 16, 16), torch.randn(2, 77, 96)
    with torch.no_grad():
        assert (unet(latents, 300, context).sample - nets[0](latents, 300, context).sample).abs().max() < 1e-4


def test_the_autoencoder_read_by_diffusers_from_the_sidecar_gives_the_same_picture(
    nets: Nets, tensors: dict[str, torch.Tensor], sidecar: dict
) -> None:
    config = create_vae_diffusers_config_from_ldm(sidecar, dict(tensors), image_size=128)
    vae = AutoencoderKL(**config).eval()
    converted = convert_ldm_vae_checkpoint(dict(tensors), config)
    vae.load_state_dict({key: value.float() for key, value in converted.items()})
    picture = to_signed(draw_stack(11, 1))
    with torch.no_grad():
        assert (vae(picture).sample - nets[1](picture).sample).abs().max() < 1e-4


def test_the_autoencoder_keeps_held_out_drawings_above_30_db(nets: Nets) -> None:
    assert _kept(nets[1], to_signed(draw_stack(20_001, 32))) >= 30


def test_the_autoencoder_keeps_the_demo_creature_above_28_db(nets: Nets, tmp_path: Path) -> None:
    assert _kept(nets[1], to_signed(draw_mosslings(20_002, 24))) >= 28
    pictures = torch.stack([_square(path) for path in write_demo_dataset(tmp_path, seed=7)])
    assert _kept(nets[1], to_signed(pictures)) >= 28


def test_latents_have_unit_scale_at_the_usual_factor_and_carry_no_noise(nets: Nets) -> None:
    with torch.no_grad():
        posterior = nets[1].encode(to_signed(draw_stack(20_003, 16))).latent_dist
    assert float(posterior.std.max()) < 1e-3
    assert float((posterior.mean * 0.18215).std()) == pytest.approx(1, abs=0.15)
    assert abs(float((posterior.mean * 0.18215).mean())) < 0.15


def test_the_tokenizer_is_clips_own(nets: Nets) -> None:
    tokenizer = load_tokenizer(MODEL / "clip")
    assert len(tokenizer) == 49408
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert token_ids(tokenizer, [""]).shape == (1, 77)


def test_text_embeddings_keep_a_mean_clearly_off_zero(nets: Nets) -> None:
    tokenizer = load_tokenizer(MODEL / "clip")
    ids = token_ids(tokenizer, ["", "mossling, 1creature, solo", "a big red circle, blue background"])
    context = encode_text(nets[2], ids)
    assert float(context.mean(dim=(1, 2)).abs().min()) > 0.05


def _kept(vae: AutoencoderKL, pictures: torch.Tensor) -> float:
    with torch.no_grad():
        kept = [vae.decode(vae.encode(part).latent_dist.mean).sample for part in pictures.split(8)]
    return psnr(torch.cat(kept), pictures)


def _square(path: Path) -> torch.Tensor:
    image = Image.open(path).convert("RGBA")
    flat = Image.new("RGBA", image.size, "white")
    flat.alpha_composite(image)
    side = min(flat.size)
    left, top = (flat.width - side) // 2, (flat.height - side) // 2
    square = flat.convert("RGB").crop((left, top, left + side, top + side)).resize((128, 128), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.asarray(square).copy()).permute(2, 0, 1)
