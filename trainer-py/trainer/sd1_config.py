"""The shapes of a Stable Diffusion 1 checkpoint: from the `.yaml` beside it, else those of Stable Diffusion 1.5."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from trainer.failure import Failure

ASSETS = Path(__file__).parent / "assets"
SD15_CLIP_CONFIG = ASSETS / "sd15-clip.json"
CLIP_VOCABULARY = Path(__file__).parent.parent / "pocket" / "model" / "clip"


@dataclass(frozen=True)
class Sd1Config:
    """Arguments of the diffusers and transformers classes, and the side in pixels of the square trained at."""

    unet: dict[str, Any]
    vae: dict[str, Any]
    text_encoder: dict[str, Any]
    tokenizer_dir: Path
    resolution: int
    scale_factor: float


def read_sd1_config(checkpoint: Path) -> Sd1Config:
    """Configuration of a checkpoint. Raises Failure `base_model_unsupported` or `base_model_corrupt` for a bad yaml."""
    sidecar = checkpoint.with_suffix(".yaml")
    if not sidecar.is_file():
        return _config(_SD15, CLIP_VOCABULARY, _read_clip(SD15_CLIP_CONFIG))
    params = _read_params(sidecar)
    folder = _clip_folder(sidecar, params["cond_stage_config"].get("params") or {})
    try:
        if folder is None:
            return _config(params, CLIP_VOCABULARY, _read_clip(SD15_CLIP_CONFIG))
        return _config(params, folder, _read_clip(folder / "config.json"))
    except (KeyError, TypeError) as error:
        raise _bad_yaml(sidecar, f"a v1-inference configuration, found none for {error}") from error


def _config(params: dict[str, Any], tokenizer_dir: Path, clip: dict[str, Any]) -> Sd1Config:
    unet = params["unet_config"]["params"]
    vae = params["first_stage_config"]["params"]["ddconfig"]
    return Sd1Config(
        unet=_unet(unet),
        vae=_vae(vae),
        text_encoder=clip,
        tokenizer_dir=tokenizer_dir,
        resolution=int(unet["image_size"]) * 2 ** (len(vae["ch_mult"]) - 1),
        scale_factor=float(params.get("scale_factor", 0.18215)),
    )


def _unet(params: dict[str, Any]) -> dict[str, Any]:
    attention = [2**level in params["attention_resolutions"] for level in range(len(params["channel_mult"]))]
    down = ["CrossAttnDownBlock2D" if has else "DownBlock2D" for has in attention]
    up = ["CrossAttnUpBlock2D" if has else "UpBlock2D" for has in reversed(attention)]
    return {
        "sample_size": params["image_size"],
        "in_channels": params["in_channels"],
        "out_channels": params["out_channels"],
        "block_out_channels": tuple(params["model_channels"] * factor for factor in params["channel_mult"]),
        "layers_per_block": params["num_res_blocks"],
        "down_block_types": tuple(down),
        "up_block_types": tuple(up),
        "cross_attention_dim": params["context_dim"],
        # diffusers reads the number of heads from this argument for the Stable Diffusion 1 layout.
        "attention_head_dim": params["num_heads"],
        "transformer_layers_per_block": params.get("transformer_depth", 1),
    }


def _vae(params: dict[str, Any]) -> dict[str, Any]:
    levels = len(params["ch_mult"])
    return {
        "in_channels": params["in_channels"],
        "out_channels": params["out_ch"],
        "down_block_types": ("DownEncoderBlock2D",) * levels,
        "up_block_types": ("UpDecoderBlock2D",) * levels,
        "block_out_channels": tuple(params["ch"] * factor for factor in params["ch_mult"]),
        "latent_channels": params["z_channels"],
        "layers_per_block": params["num_res_blocks"],
    }


def _read_params(sidecar: Path) -> dict[str, Any]:
    try:
        params = yaml.safe_load(sidecar.read_text(encoding="utf-8"))["model"]["params"]
        target = str(params["cond_stage_config"]["target"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise _bad_yaml(
            sidecar, f"a v1-inference configuration, found something else ({type(error).__name__})"
        ) from error
    if "OpenCLIP" in target or params.get("parameterization", "eps") != "eps":
        raise Failure(
            "base_model_unsupported",
            f"Expected a Stable Diffusion 1.x model, but {sidecar.name} describes a Stable Diffusion 2.x one; "
            "choose a model of the 1.x family.",
        )
    return params


def _clip_folder(sidecar: Path, params: dict[str, Any]) -> Path | None:
    version = params.get("version")
    if version is None:
        return None
    # The first place is the one beside the yaml; the others are how WebUIs resolve it from their own root.
    for base in (sidecar.parent, *sidecar.parent.parents):
        folder = base / str(version)
        if (folder / "config.json").is_file():
            return folder
    if version == "openai/clip-vit-large-patch14":
        return None
    raise _bad_yaml(sidecar, f"a folder {version} with a CLIP config.json, found none")


def _read_clip(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failure(
            "base_model_corrupt", f"Expected a CLIP configuration in {path}, but it can't be read; restore the file."
        ) from error
    return config.get("text_config", config)


def _bad_yaml(sidecar: Path, expected: str) -> Failure:
    return Failure(
        "base_model_corrupt",
        f"Expected {sidecar.name} to hold {expected}; restore that file, "
        "or remove it for a plain Stable Diffusion 1.5 model.",
    )


_SD15: dict[str, Any] = {
    "unet_config": {
        "params": {
            "image_size": 64,
            "in_channels": 4,
            "out_channels": 4,
            "model_channels": 320,
            "attention_resolutions": [4, 2, 1],
            "num_res_blocks": 2,
            "channel_mult": [1, 2, 4, 4],
            "num_heads": 8,
            "transformer_depth": 1,
            "context_dim": 768,
        }
    },
    "first_stage_config": {
        "params": {
            "ddconfig": {
                "z_channels": 4,
                "in_channels": 3,
                "out_ch": 3,
                "ch": 128,
                "ch_mult": [1, 2, 4, 4],
                "num_res_blocks": 2,
            }
        }
    },
}
