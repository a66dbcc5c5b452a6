"""The layers of a Stable Diffusion 1 model that a LoRA can change, under the names of kohya's files."""

from torch import nn

UNET_PREFIX = "lora_unet_"
TEXT_ENCODER_PREFIX = "lora_te_"

_TEXT_LAYERS = (".self_attn.", ".mlp.")


def lora_targets(
    unet: nn.Module | None, text_encoder: nn.Module | None, *, convolutions: bool = False
) -> dict[str, nn.Module]:
    """kohya module name → layer: the UNet's attention blocks and projections, the text encoder's attention and MLP.

    convolutions adds what a LoCon file can hold besides: the UNet's residual blocks, down- and upsamplers. None stands
    for a part that is left alone.
    """
    targets = {} if text_encoder is None else _text_encoder_targets(text_encoder)
    if unet is not None:
        targets.update(_unet_targets(unet, convolutions))
    return targets


def module_name(prefix: str, path: str) -> str:
    """kohya's name of the layer at the dotted `path`."""
    return prefix + path.replace(".", "_")


def _text_encoder_targets(text_encoder: nn.Module) -> dict[str, nn.Module]:
    found: dict[str, nn.Module] = {}
    for path, module in text_encoder.named_modules():
        if isinstance(module, nn.Linear) and any(layer in path for layer in _TEXT_LAYERS):
            # transformers 5 has dropped the level that every SD1 file and WebUI still names.
            whole = path if path.startswith("text_model.") else f"text_model.{path}"
            found[module_name(TEXT_ENCODER_PREFIX, whole)] = module
    return found


def _unet_targets(unet: nn.Module, convolutions: bool) -> dict[str, nn.Module]:
    found: dict[str, nn.Module] = {}
    for path, module in unet.named_modules():
        if not isinstance(module, (nn.Linear, nn.Conv2d)):
            continue
        if ".attentions." in path or (convolutions and _is_convolutional(path)):
            found[module_name(UNET_PREFIX, path)] = module
    return found


def _is_convolutional(path: str) -> bool:
    return any(block in path for block in (".resnets.", ".downsamplers.", ".upsamplers."))
