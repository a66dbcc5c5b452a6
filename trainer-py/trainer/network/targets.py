"""The layers of a model that a LoRA can change, under the names of kohya's files."""

from collections.abc import Sequence

from torch import nn

from trainer.model.clip_text import ClipText
from trainer.model.ldm_keys import diffusers_path
from trainer.model.unet import Unet

UNET_PREFIX = "lora_unet_"
TEXT_ENCODER_PREFIX = "lora_te_"
XL_TEXT_ENCODER_PREFIXES = ("lora_te1_", "lora_te2_")

_TEXT_LAYERS = (".self_attn.", ".mlp.")


def lora_targets(
    unet: Unet | None, text_encoders: Sequence[ClipText] = (), *, convolutions: bool = False
) -> dict[str, nn.Module]:
    """kohya module name → layer: the text encoders' attention and MLP, the UNet's attention blocks and projections.

    convolutions adds what a LoCon file can hold besides: the UNet's residual blocks, down- and upsamplers. None and no
    text encoders stand for a part that is left alone. Stable Diffusion 1 and 2 are named as in diffusers, XL by its own
    names.
    """
    targets: dict[str, nn.Module] = {}
    prefixes = (TEXT_ENCODER_PREFIX,) if len(text_encoders) == 1 else XL_TEXT_ENCODER_PREFIXES
    for prefix, text_encoder in zip(prefixes, text_encoders, strict=False):
        targets.update(_text_encoder_targets(prefix, text_encoder))
    if unet is not None:
        targets.update(_unet_targets(unet, convolutions))
    return targets


def module_name(prefix: str, path: str) -> str:
    """kohya's name of the layer at the dotted `path`."""
    return prefix + path.replace(".", "_")


def _text_encoder_targets(prefix: str, text_encoder: ClipText) -> dict[str, nn.Module]:
    return {
        module_name(prefix, path): module
        for path, module in text_encoder.named_modules()
        if isinstance(module, nn.Linear) and any(layer in path for layer in _TEXT_LAYERS)
    }


def _unet_targets(unet: Unet, convolutions: bool) -> dict[str, nn.Module]:
    found: dict[str, nn.Module] = {}
    is_xl = unet.config.vector_width is not None
    for path, module in unet.named_modules():
        if not isinstance(module, (nn.Linear, nn.Conv2d)) or not path.startswith(_BLOCKS):
            continue
        name = diffusers_path(path, layers=unet.config.res_blocks)
        if ".attentions." in name or (convolutions and any(block in name for block in _CONVOLUTIONAL)):
            found[module_name(UNET_PREFIX, path if is_xl else name)] = module
    return found


_BLOCKS = ("input_blocks.", "middle_block.", "output_blocks.")
_CONVOLUTIONAL = (".resnets.", ".downsamplers.", ".upsamplers.")
