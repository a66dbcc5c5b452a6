"""Small models made by diffusers and transformers, in their own folder layout: what ours are measured by."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

KINDS = ("sd1", "sd2", "sdxl")


@dataclass(frozen=True)
class DiffusersModel:
    unet: UNet2DConditionModel
    text_encoders: tuple[nn.Module, ...]
    vae: AutoencoderKL
    scheduler: DDIMScheduler


def make_model(kind: str, *, prediction: str = "epsilon", zero_snr: bool = False) -> DiffusersModel:
    """Seeded random weights; norms are random as well, so that one in the wrong place shows."""
    torch.manual_seed(1)
    unet = UNet2DConditionModel(**_unet(kind))
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(32, 32, 64, 64),
        latent_channels=4,
        layers_per_block=1,
        scaling_factor=0.13025 if kind == "sdxl" else 0.18215,
    )
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="v_prediction" if prediction == "v" else "epsilon",
        rescale_betas_zero_snr=zero_snr,
        timestep_spacing="trailing" if zero_snr else "leading",
    )
    model = DiffusersModel(unet, _text_encoders(kind), vae, scheduler)
    for module in (unet, vae, *model.text_encoders):
        _shake_norms(module)
        module.requires_grad_(False).eval()
    return model


def write_folder(model: DiffusersModel, folder: Path) -> Path:
    """Save the model as diffusers does."""
    model.unet.save_pretrained(folder / "unet")
    model.vae.save_pretrained(folder / "vae")
    model.scheduler.save_pretrained(folder / "scheduler")
    for name, text_encoder in zip(("text_encoder", "text_encoder_2"), model.text_encoders, strict=False):
        text_encoder.save_pretrained(folder / name)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
    return folder


def _unet(kind: str) -> dict[str, object]:
    if kind == "sd1":
        return {
            "sample_size": 8,
            "block_out_channels": (32, 64),
            "layers_per_block": 2,
            "cross_attention_dim": 32,
            "attention_head_dim": 4,
            "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
            "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        }
    if kind == "sd2":
        return {
            "sample_size": 8,
            "block_out_channels": (32, 64),
            "layers_per_block": 2,
            "cross_attention_dim": 64,
            "attention_head_dim": (2, 4),
            "use_linear_projection": True,
            "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
            "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        }
    return {
        "sample_size": 8,
        "block_out_channels": (32, 64, 64),
        "layers_per_block": 2,
        "cross_attention_dim": 64 + 32,
        "attention_head_dim": (2, 4, 4),
        "use_linear_projection": True,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": (1, 1, 2),
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 32 + 6 * 256,
    }


def _text_encoders(kind: str) -> tuple[nn.Module, ...]:
    if kind == "sd1":
        return (CLIPTextModel(_text(32, "quick_gelu")),)
    if kind == "sd2":
        return (CLIPTextModel(_text(64, "gelu")),)
    return CLIPTextModel(_text(64, "quick_gelu")), CLIPTextModelWithProjection(_text(32, "gelu"))


def _text(width: int, activation: str) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=49408,
        hidden_size=width,
        intermediate_size=2 * width,
        projection_dim=width,
        num_hidden_layers=4,
        num_attention_heads=4,
        max_position_embeddings=77,
        hidden_act=activation,
        bos_token_id=49406,
        eos_token_id=49407,
        pad_token_id=1,
    )


def _shake_norms(module: nn.Module) -> None:
    for norm in module.modules():
        if isinstance(norm, (nn.GroupNorm, nn.LayerNorm)):
            nn.init.normal_(norm.weight, 1, 0.2)
            nn.init.normal_(norm.bias, 0, 0.2)
