"""The layers of the ordinary models, without their numbers."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from trainer.model.base_model import load_base_model
from trainer.model.clip_text import ClipText
from trainer.model.model_config import TextEncoderConfig, UnetConfig
from trainer.model.unet import Unet
from trainer.network.targets import lora_targets

_SD1 = UnetConfig(320, (1, 2, 4, 4), 2, (1, 1, 1, 0), 1, 768)
_UNETS = {
    "sd1": _SD1,
    "sd2": replace(_SD1, context_width=1024, heads=None, linear_projections=True),
    "sdxl": UnetConfig(320, (1, 2, 4), 2, (0, 2, 10), 10, 2048, None, linear_projections=True, vector_width=2816),
}
_CLIP = TextEncoderConfig(768, 12, 12, 3072)
_TEXT_ENCODERS = {
    "sd1": (_CLIP,),
    "sd2": (TextEncoderConfig(1024, 23, 16, 4096),),
    "sdxl": (_CLIP, TextEncoderConfig(1280, 32, 20, 5120)),
}


def known_layers(kind: str) -> dict[str, nn.Module]:
    """kohya module name → layer on the meta device, for an ordinary model of the kind sd1, sd2 or sdxl."""
    with torch.device("meta"):
        text_encoders = tuple(ClipText(config) for config in _TEXT_ENCODERS[kind])
        return lora_targets(Unet(_UNETS[kind]), text_encoders, convolutions=True)


def layers_of(path: Path) -> tuple[str, dict[str, nn.Module]]:
    """Kind and layers of a base model, of which the header alone is read. Raises Failure as `load_base_model` does."""
    base = load_base_model(path, device=torch.device("cpu"), dtype=torch.float32, parts=frozenset())
    return base.config.kind, lora_targets(base.unet, base.text_encoders, convolutions=True)


def kind_of(metadata: Mapping[str, str], names: list[str]) -> str:
    """The kind of base model that a LoRA is for: as its metadata says, else by its modules' names."""
    version = metadata.get("ss_base_model_version", "") + metadata.get("modelspec.architecture", "")
    if "sdxl" in version or "stable-diffusion-xl" in version:
        return "sdxl"
    if metadata.get("ss_v2") == "True" or "sd_v2" in version or "stable-diffusion-v2" in version:
        return "sd2"
    is_xl = any(name.startswith("lora_te2_") or "_transformer_blocks_1_" in name for name in names)
    return "sdxl" if is_xl else "sd1"
