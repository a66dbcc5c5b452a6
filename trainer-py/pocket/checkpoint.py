"""Write and read the single-file Stable Diffusion 1 checkpoint of the pocket model."""

from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import CLIPTextModel

from pocket.ldm_keys import TEXT_PREFIX, text_key, unet_key, vae_key
from pocket.nets import new_text_encoder, new_unet, noise_schedule
from pocket.vae import VAE_CONFIG


def write_checkpoint(path: Path, unet: UNet2DConditionModel, vae: AutoencoderKL, text: CLIPTextModel) -> None:
    """Write all three nets as fp16 with the noise schedule's buffers as fp32; an existing file is replaced at once."""
    tensors: dict[str, torch.Tensor] = {}
    for module, key in ((unet, unet_key), (vae, vae_key), (text, text_key)):
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                tensors[key(name)] = _as_written(key(name), value).half().contiguous()
    tensors[f"{TEXT_PREFIX}embeddings.position_ids"] = torch.arange(77).unsqueeze(0)
    tensors |= _schedule_buffers()
    part = path.with_suffix(".part")
    save_file(tensors, part, metadata={"modelspec.architecture": "stable-diffusion-v1", "modelspec.title": "pocket"})
    part.chmod(0o644)
    part.rename(path)


def read_checkpoint(path: Path) -> tuple[UNet2DConditionModel, AutoencoderKL, CLIPTextModel]:
    """UNet, autoencoder and text encoder of the file, fp32, ready to draw."""
    tensors = load_file(path)
    unet, vae, text = new_unet(), AutoencoderKL(**VAE_CONFIG), new_text_encoder()
    for module, key in ((unet, unet_key), (vae, vae_key), (text, text_key)):
        _fill(module, tensors, key)
        module.eval().requires_grad_(False)
    return unet, vae, text


def _fill(module: nn.Module, tensors: dict[str, torch.Tensor], key: Callable[[str], str]) -> None:
    state = module.state_dict()
    filled = {
        name: tensors[key(name)].float().reshape(value.shape)
        for name, value in state.items()
        if value.is_floating_point()
    }
    module.load_state_dict(state | filled)


def _as_written(key: str, value: torch.Tensor) -> torch.Tensor:
    # The original autoencoder's attention is made of 1 × 1 convolutions, diffusers' of linear layers.
    is_convolution = ".attn_1." in key and value.ndim == 2
    return value[:, :, None, None] if is_convolution else value


def _schedule_buffers() -> dict[str, torch.Tensor]:
    alphas = noise_schedule()
    before = torch.cat([torch.ones(1, dtype=torch.float64), alphas[:-1]])
    betas = 1 - alphas / before
    variance = betas * (1 - before) / (1 - alphas)
    buffers = {
        "betas": betas,
        "alphas_cumprod": alphas,
        "alphas_cumprod_prev": before,
        "sqrt_alphas_cumprod": alphas.sqrt(),
        "sqrt_one_minus_alphas_cumprod": (1 - alphas).sqrt(),
        "log_one_minus_alphas_cumprod": (1 - alphas).log(),
        "sqrt_recip_alphas_cumprod": (1 / alphas).sqrt(),
        "sqrt_recipm1_alphas_cumprod": (1 / alphas - 1).sqrt(),
        "posterior_variance": variance,
        "posterior_log_variance_clipped": variance.clamp(min=1e-20).log(),
        "posterior_mean_coef1": betas * before.sqrt() / (1 - alphas),
        "posterior_mean_coef2": (1 - before) * (1 - betas).sqrt() / (1 - alphas),
    }
    return {name: value.float() for name, value in buffers.items()}
