"""A random checkpoint of a few megabytes in Stable Diffusion 1's layout, with its yaml and CLIP folder."""

import json
import shutil
from pathlib import Path

import torch
import yaml
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

from trainer.ldm_keys import text_encoder_keys, unet_key, vae_key
from trainer.sd1_config import CLIP_VOCABULARY, read_sd1_config

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
TINY_CLIP = {
    "vocab_size": 49408,
    "hidden_size": 32,
    "intermediate_size": 64,
    "projection_dim": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 77,
    "hidden_act": "quick_gelu",
    "bos_token_id": 49406,
    "eos_token_id": 49407,
    "pad_token_id": 1,
}


def write_tiny_checkpoint(folder: Path, *, name: str = "tiny", dtype: torch.dtype = torch.float32) -> Path:
    """Write tiny.safetensors, tiny.yaml and tiny-clip/ into `folder`; the weights are the same each time."""
    folder.mkdir(parents=True, exist_ok=True)
    clip = folder / "tiny-clip"
    clip.mkdir(exist_ok=True)
    for file in ("vocab.json", "merges.txt"):
        shutil.copyfile(CLIP_VOCABULARY / file, clip / file)
    (clip / "config.json").write_text(json.dumps(TINY_CLIP))
    path = folder / f"{name}.safetensors"
    path.with_suffix(".yaml").write_text(yaml.safe_dump(TINY))
    save_file(tiny_state(path, dtype), path)
    return path


def tiny_state(path: Path, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    """Random weights under the checkpoint's keys, for the yaml beside `path`."""
    unet, text_encoder, vae = tiny_modules(path)
    levels = frozenset(i for i, kind in enumerate(unet.config.up_block_types) if "Attn" in kind)
    state = {}
    for key, value in unet.state_dict().items():
        state[unet_key(key, layers=unet.config.layers_per_block, attention_levels=levels)] = value
    for key, value in vae.state_dict().items():
        square = ".attentions." in key and key.endswith("weight") and value.ndim == 2
        state[vae_key(key, levels=len(vae.config.block_out_channels))] = value[..., None, None] if square else value
    for key, value in text_encoder.state_dict().items():
        state[text_encoder_keys(key)[0]] = value
    state["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77).unsqueeze(0)
    state["model_ema.decay"] = torch.tensor(0.5)
    return {key: value.to(dtype).contiguous() for key, value in state.items()}


def tiny_modules(path: Path) -> tuple[UNet2DConditionModel, CLIPTextModel, AutoencoderKL]:
    """The three modules with seeded random weights whose outputs are of a usable size."""
    config = read_sd1_config(path)
    torch.manual_seed(0)
    unet = UNet2DConditionModel(**config.unet)
    text_encoder = CLIPTextModel(CLIPTextConfig(**config.text_encoder))
    torch.nn.init.normal_(text_encoder.embeddings.token_embedding.weight)
    torch.nn.init.constant_(text_encoder.final_layer_norm.bias, 0.2)
    vae = AutoencoderKL(**config.vae)
    return unet.eval(), text_encoder.eval(), vae.eval()
