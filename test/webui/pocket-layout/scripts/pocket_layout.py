# ruff: noqa: ANN001, ANN003, ANN202, ANN204
# The signatures are those of the WebUIs.
"""
Forge and reForge know a checkpoint by the shapes of its weights and read no yaml, so they know no small ones. This
teaches them the pocket model's, from the yaml beside it; their own code then loads it, draws with it and maps LoRAs
onto it.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path

import yaml
from modules import paths


def teach_forge(params: dict, folder: Path) -> None:
    from huggingface_guess import model_list

    unet = params["unet_config"]["params"]
    _write_diffusers_folder(params, folder)

    class Pocket(model_list.SD15):
        huggingface_repo = str(folder)
        unet_config = {
            **model_list.SD15.unet_config,
            "context_dim": unet["context_dim"],
            "model_channels": unet["model_channels"],
        }
        unet_extra_config = {"num_heads": unet["num_heads"], "num_head_channels": -1}

    model_list.models.insert(0, Pocket)


def _write_diffusers_folder(params: dict, folder: Path) -> None:
    vae = params["first_stage_config"]["params"]["ddconfig"]
    clip = Path(params["cond_stage_config"]["params"]["version"])
    shutil.copytree(clip, folder / "tokenizer", dirs_exist_ok=True)
    levels = len(vae["ch_mult"])
    files = {
        "model_index.json": {
            "_class_name": "StableDiffusionPipeline",
            "scheduler": ["diffusers", "PNDMScheduler"],
            "text_encoder": ["transformers", "CLIPTextModel"],
            "tokenizer": ["transformers", "CLIPTokenizer"],
            "unet": ["diffusers", "UNet2DConditionModel"],
            "vae": ["diffusers", "AutoencoderKL"],
        },
        "scheduler/scheduler_config.json": {
            "_class_name": "PNDMScheduler",
            "beta_start": params["linear_start"],
            "beta_end": params["linear_end"],
            "beta_schedule": "scaled_linear",
            "num_train_timesteps": params["timesteps"],
            "skip_prk_steps": True,
            "steps_offset": 1,
        },
        "text_encoder/config.json": json.loads((clip / "config.json").read_text(encoding="utf8")),
        "vae/config.json": {
            "_class_name": "AutoencoderKL",
            "in_channels": vae["in_channels"],
            "out_channels": vae["out_ch"],
            "latent_channels": vae["z_channels"],
            "block_out_channels": [vae["ch"] * factor for factor in vae["ch_mult"]],
            "layers_per_block": vae["num_res_blocks"],
            "down_block_types": ["DownEncoderBlock2D"] * levels,
            "up_block_types": ["UpDecoderBlock2D"] * levels,
        },
    }
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content), encoding="utf8")


def teach_reforge(params: dict) -> None:
    from ldm_patched.modules import sd1_clip, supported_models
    from ldm_patched.modules.supported_models_base import ClipTarget
    from modules_forge import forge_loader

    unet = params["unet_config"]["params"]
    vae = params["first_stage_config"]["params"]
    clip = Path(params["cond_stage_config"]["params"]["version"])

    class PocketText(sd1_clip.SDClipModel):
        def __init__(self, device="cpu", dtype=None, model_options=None):
            config = str(clip / "config.json")
            super().__init__(device=device, dtype=dtype, textmodel_json_config=config, return_projected_pooled=False)

    class PocketClip(sd1_clip.SD1ClipModel):
        def __init__(self, device="cpu", dtype=None, model_options=None, **_others):
            super().__init__(device, dtype, model_options or {}, clip_model=PocketText)

    class Pocket(supported_models.SD15):
        unet_config = {
            **supported_models.SD15.unet_config,
            "context_dim": unet["context_dim"],
            "model_channels": unet["model_channels"],
        }
        unet_extra_config = {"num_heads": unet["num_heads"], "num_head_channels": -1}

        def clip_target(self, state_dict=None):
            return ClipTarget(sd1_clip.SD1Tokenizer, PocketClip)

    stock = forge_loader.VAE

    def vae_of(sd, **others):
        is_pocket = sd["encoder.conv_in.weight"].shape[0] == vae["ddconfig"]["ch"]
        config = {"params": {"ddconfig": vae["ddconfig"], "embed_dim": vae["embed_dim"]}} if is_pocket else None
        return stock(sd=sd, config=config, **others)

    forge_loader.VAE = vae_of
    supported_models.models.insert(0, Pocket)


models = Path(paths.models_path)
params = yaml.safe_load((models / "Stable-diffusion" / "pocket.yaml").read_text(encoding="utf8"))["model"]["params"]
if importlib.util.find_spec("huggingface_guess") is not None:
    teach_forge(params, models / "pocket-layout")
elif importlib.util.find_spec("ldm_patched") is not None:
    teach_reforge(params)
