"""Shapes of the pocket UNet and text encoder, in Stable Diffusion 1's layout."""

import torch
from diffusers import UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from pocket.clip_files import TEXT_CONFIG

FINAL_BIAS = 0.25
"""WebUIs divide by the mean of the text embedding when they weigh words, so that mean must not be near zero."""


def new_unet() -> UNet2DConditionModel:
    """A fresh UNet: 64 channels × (1, 2, 2, 2), two blocks a level, attention on the first three, context 96."""
    return UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(64, 128, 128, 128),
        layers_per_block=2,
        cross_attention_dim=96,
        attention_head_dim=4,
        norm_num_groups=32,
        down_block_types=(*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
        up_block_types=("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
    )


def new_text_encoder() -> CLIPTextModel:
    """A fresh CLIP text model of 3 layers × 96 whose final bias is frozen at 0.25."""
    model = CLIPTextModel(CLIPTextConfig(**TEXT_CONFIG))
    nn.init.normal_(model.embeddings.token_embedding.weight, std=0.02)
    nn.init.constant_(model.final_layer_norm.bias, FINAL_BIAS)
    model.final_layer_norm.bias.requires_grad_(False)
    return model


def encode_text(model: CLIPTextModel, ids: torch.Tensor, clip_skip: int = 1) -> torch.Tensor:
    """Context (n, tokens, 96) of token ids (n, tokens); clip_skip 2 leaves the last layer out."""
    hidden = model(input_ids=ids, output_hidden_states=True).hidden_states[-clip_skip]
    return model.final_layer_norm(hidden)


def noise_schedule() -> torch.Tensor:
    """Cumulative alphas (1000,) of the scaled-linear betas .00085 to .012, float64."""
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, dim=0)
