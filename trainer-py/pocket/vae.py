"""The pocket autoencoder: its shape, a fast training forward, and the exact folding of the latent scale."""

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from diffusers.models.resnet import ResnetBlock2D
from torch import nn

LATENT_SCALE = 0.18215

VAE_CONFIG = {
    "in_channels": 3,
    "out_channels": 3,
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (64, 64, 64, 64),
    "layers_per_block": 0,
    "latent_channels": 4,
    "norm_num_groups": 32,
    "sample_size": 128,
    "scaling_factor": LATENT_SCALE,
}


def new_vae() -> AutoencoderKL:
    """A fresh autoencoder whose residual branches start at zero; full-resolution blocks and attention stay identity."""
    vae = AutoencoderKL(**VAE_CONFIG)
    for module in vae.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for name, module in vae.named_modules():
        if name.endswith("conv2") or name.endswith("to_out.0"):
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
    return vae


def trained_parameters(vae: AutoencoderKL) -> dict[str, nn.Parameter]:
    """Parameters that training moves: all but the blocks that stay identity."""
    frozen = (".attentions.", "decoder.up_blocks.3.resnets.")
    return {name: p for name, p in vae.named_parameters() if not any(part in name for part in frozen)}


def encode_mean(vae: AutoencoderKL, pictures: torch.Tensor) -> torch.Tensor:
    """Latent means (n, 4, h/8, w/8) of pictures (n, 3, h, w) in -1..1; skips identity blocks, convolutions in bf16."""
    x = _conv(vae.encoder.conv_in, pictures)
    for block in vae.encoder.down_blocks:
        for sampler in block.downsamplers or ():
            x = _conv(sampler.conv, F.pad(x, (0, 1, 0, 1)))
    for block in vae.encoder.mid_block.resnets:
        x = _residual(block, x)
    x = _conv(vae.encoder.conv_out, F.silu(vae.encoder.conv_norm_out(x)))
    return vae.quant_conv(x)[:, :4]


def decode(vae: AutoencoderKL, latents: torch.Tensor) -> torch.Tensor:
    """Pictures (n, 3, 8h, 8w) about -1..1 of latents (n, 4, h, w); identity blocks skipped, convolutions in bf16."""
    x = _conv(vae.decoder.conv_in, vae.post_quant_conv(latents))
    for block in vae.decoder.mid_block.resnets:
        x = _residual(block, x)
    for level, block in enumerate(vae.decoder.up_blocks):
        if level < 3:
            x = _residual(block.resnets[0], x)
        for sampler in block.upsamplers or ():
            x = _conv(sampler.conv, F.interpolate(x, scale_factor=2.0, mode="nearest"))
    return _conv(vae.decoder.conv_out, F.silu(vae.decoder.conv_norm_out(x)))


@torch.no_grad()
def fold_latent_scale(vae: AutoencoderKL, latents: torch.Tensor) -> None:
    """Shift and scale the latents per channel to mean 0 and std 1/0.18215 inside quant_conv and undo it in
    post_quant_conv, exactly; log-variance becomes the constant -20 so that sampling adds no noise.

    latents: means (n, 4, h, w) of typical pictures before folding.
    """
    mean = latents.mean(dim=(0, 2, 3))
    gain = 1 / (latents.std(dim=(0, 2, 3)) * LATENT_SCALE)
    quant, post = vae.quant_conv, vae.post_quant_conv
    post.bias += (post.weight[:, :, 0, 0] * mean).sum(dim=1)
    post.weight /= gain.view(1, 4, 1, 1)
    quant.weight[:4] *= gain.view(4, 1, 1, 1)
    quant.bias[:4] = (quant.bias[:4] - mean) * gain
    quant.weight[4:] = 0
    quant.bias[4:] = -20


def psnr(pictures: torch.Tensor, others: torch.Tensor) -> float:
    """Peak signal-to-noise ratio in dB over a batch of pictures in -1..1."""
    error = (pictures.clamp(-1, 1) - others.clamp(-1, 1)).square().mean()
    return float(10 * torch.log10(4 / error))


def _conv(layer: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
    low = torch.bfloat16
    bias = None if layer.bias is None else layer.bias.to(low)
    return F.conv2d(x.to(low), layer.weight.to(low), bias, layer.stride, layer.padding).float()


def _residual(block: ResnetBlock2D, x: torch.Tensor) -> torch.Tensor:
    hidden = _conv(block.conv1, F.silu(block.norm1(x)))
    return x + _conv(block.conv2, F.silu(block.norm2(hidden)))
