"""Random checkpoints of a few megabytes in the layouts of Stable Diffusion 1, 2 and XL, with what lies beside them."""

import json
import re
from pathlib import Path

import torch
import yaml
from safetensors.torch import save_file
from torch import Tensor, nn

from trainer.model.clip_text import ClipText
from trainer.model.model_config import ModelConfig, TextEncoderConfig, UnetConfig, VaeConfig
from trainer.model.unet import Unet
from trainer.model.vae import Vae

TINY = {
    "model": {
        "params": {
            "scale_factor": 0.18215,
            "unet_config": {
                "params": {
                    "image_size": 8,
                    "in_channels": 4,
                    "out_channels": 4,
                    "model_channels": 32,
                    "attention_resolutions": [4, 2, 1],
                    "num_res_blocks": 2,
                    "channel_mult": [1, 1, 2, 2],
                    "num_heads": 4,
                    "transformer_depth": 1,
                    "context_dim": 32,
                }
            },
            "first_stage_config": {
                "params": {
                    "ddconfig": {
                        "z_channels": 4,
                        "in_channels": 3,
                        "out_ch": 3,
                        "ch": 32,
                        "ch_mult": [1, 1, 1, 1],
                        "num_res_blocks": 0,
                    }
                }
            },
            "cond_stage_config": {
                "target": "ldm.modules.encoders.modules.FrozenCLIPEmbedder",
                "params": {"version": "tiny-clip"},
            },
        }
    }
}
_VAE = VaeConfig(channels=32, channel_mult=(1, 1, 1, 1), res_blocks=0)
_CLIP = TextEncoderConfig(width=32, layers=3, heads=4, inner=64, prefixes=("cond_stage_model.transformer.text_model.",))
_OPEN_CLIP = TextEncoderConfig(
    width=64, layers=3, heads=1, inner=128, quick_gelu=False, fused=True, pad=0, prefixes=("cond_stage_model.model.",)
)
_XL_CLIP = TextEncoderConfig(
    width=64,
    layers=3,
    heads=1,
    inner=128,
    final_norm=False,
    prefixes=("conditioner.embedders.0.transformer.text_model.",),
)
_XL_OPEN_CLIP = TextEncoderConfig(
    width=128,
    layers=3,
    heads=2,
    inner=256,
    quick_gelu=False,
    fused=True,
    projection=128,
    pad=0,
    final_norm=False,
    prefixes=("conditioner.embedders.1.model.",),
)


def tiny_config(kind: str = "sd1", prediction: str = "epsilon") -> ModelConfig:
    """The shapes of the tiny model of a kind."""
    if kind == "sd1":
        unet = UnetConfig(32, (1, 1, 2, 2), 2, (1, 1, 1, 0), 1, context_width=32, heads=4)
        return ModelConfig(kind, prediction, False, 64, 0.18215, unet, (_CLIP,), _VAE)
    if kind == "sd2":
        unet = UnetConfig(64, (1, 2), 2, (1, 0), 1, context_width=64, heads=None, linear_projections=True)
        size = 768 if prediction == "v" else 512
        return ModelConfig(kind, prediction, False, size, 0.18215, unet, (_OPEN_CLIP,), _VAE)
    unet = UnetConfig(
        64, (1, 2), 1, (0, 2), 3, context_width=192, heads=None, linear_projections=True, vector_width=128 + 6 * 256
    )
    return ModelConfig(kind, prediction, False, 1024, 0.13025, unet, (_XL_CLIP, _XL_OPEN_CLIP), _VAE)


def write_tiny_checkpoint(
    folder: Path,
    *,
    kind: str = "sd1",
    name: str = "tiny",
    dtype: torch.dtype = torch.float32,
    marks: tuple[str, ...] = (),
    metadata: dict[str, str] | None = None,
) -> Path:
    """Write tiny.safetensors into `folder`, for Stable Diffusion 1 tiny.yaml and tiny-clip/ as well.

    The weights are the same each time. marks: names of further tensors, such as `v_pred`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    if kind == "sd1":
        (folder / "tiny-clip").mkdir(exist_ok=True)
        (folder / "tiny-clip" / "config.json").write_text(json.dumps({"num_attention_heads": _CLIP.heads}))
        path.with_suffix(".yaml").write_text(yaml.safe_dump(TINY))
    save_file({**tiny_state(kind, dtype), **{mark: torch.zeros(1) for mark in marks}}, path, metadata=metadata)
    return path


def tiny_state(kind: str = "sd1", dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Random weights under the checkpoint's keys."""
    unet, text_encoders, vae = tiny_modules(kind)
    state = {f"model.diffusion_model.{key}": value for key, value in unet.state_dict().items()}
    for key, value in vae.state_dict().items():
        state[f"first_stage_model.{key}"] = value
    for text_encoder in text_encoders:
        write = _open_clip_state if text_encoder.config.fused else _clip_state
        state.update(write(text_encoder))
    state["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77).unsqueeze(0)
    if kind != "sd1":
        del state["cond_stage_model.transformer.text_model.embeddings.position_ids"]
    state["model_ema.decay"] = torch.tensor(0.5)
    return {key: value.to(dtype).contiguous() for key, value in state.items()}


def tiny_modules(kind: str = "sd1") -> tuple[Unet, tuple[ClipText, ...], Vae]:
    """The modules with seeded random weights whose outputs are of a usable size."""
    config = tiny_config(kind)
    torch.manual_seed(0)
    unet = Unet(config.unet)
    text_encoders = tuple(_drawn(text) for text in config.text_encoders)
    for text_encoder in text_encoders:
        embeddings = text_encoder.text_model["embeddings"]
        nn.init.normal_(embeddings["token_embedding"].weight)
        nn.init.normal_(embeddings["position_embedding"].weight, std=0.02)
        nn.init.constant_(text_encoder.text_model["final_layer_norm"].bias, 0.2)
    vae = Vae(config.vae)
    return unet.eval(), tuple(text_encoder.eval() for text_encoder in text_encoders), vae.eval()


def _drawn(config: TextEncoderConfig) -> ClipText:
    # Embeddings are made without numbers; drawn here all the same, so that the layers after them stay what they were.
    for count in (config.vocabulary, config.positions):
        torch.empty(count, config.width).normal_()
    return ClipText(config)


def _clip_state(text_encoder: ClipText) -> dict[str, Tensor]:
    prefix = text_encoder.config.prefixes[0].removesuffix("text_model.")
    return {prefix + key: value for key, value in text_encoder.state_dict().items()}


def _open_clip_state(text_encoder: ClipText) -> dict[str, Tensor]:
    prefix, state = text_encoder.config.prefixes[0], text_encoder.state_dict()
    found = {
        "token_embedding.weight": state["text_model.embeddings.token_embedding.weight"],
        "positional_embedding": state["text_model.embeddings.position_embedding.weight"],
        "ln_final.weight": state["text_model.final_layer_norm.weight"],
        "ln_final.bias": state["text_model.final_layer_norm.bias"],
        "logit_scale": torch.tensor(4.6),
    }
    width = text_encoder.config.width
    found["text_projection"] = (
        state["text_projection.weight"].T if "text_projection.weight" in state else torch.eye(width)
    )
    names = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "self_attn.out_proj": "attn.out_proj"}
    names |= {"mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
    for key, value in state.items():
        match = re.fullmatch(r"text_model\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)", key)
        if match and match[2] in names:
            found[f"transformer.resblocks.{match[1]}.{names[match[2]]}.{match[3]}"] = value
    for layer in range(text_encoder.config.layers):
        for leaf in ("weight", "bias"):
            parts = [state[f"text_model.encoder.layers.{layer}.self_attn.{part}_proj.{leaf}"] for part in "qkv"]
            found[f"transformer.resblocks.{layer}.attn.in_proj_{leaf}"] = torch.cat(parts)
    if not text_encoder.config.projection:
        # Stable Diffusion 2 holds OpenCLIP's last layer, which it does not use.
        last = f"transformer.resblocks.{text_encoder.config.layers - 1}."
        unused = f"transformer.resblocks.{text_encoder.config.layers}."
        found |= {key.replace(last, unused): value * 9 for key, value in found.items() if key.startswith(last)}
    return {prefix + key: value for key, value in found.items()}
