"""kohya's names of one layer: Stable Diffusion 1 and 2 go by diffusers' blocks, XL by the original ones."""

import re
from collections.abc import Iterable

from trainer.network.lora_weights import LoraWeights

_BLOCK = re.compile(r"^lora_unet_(input_blocks|middle_block|output_blocks)_(\d+)(?:_(\d+))?_(.+)$")
_RESNET = {"in_layers_2": "conv1", "out_layers_3": "conv2", "emb_layers_1": "time_emb_proj"}
_RESNET["skip_connection"] = "conv_shortcut"
_ORIGINAL = {new: old for old, new in _RESNET.items()}
_MIDDLE = ("resnets_0", "attentions_0", "resnets_1")


def diffusers_name(name: str) -> str:
    """The name with diffusers' blocks, of which there are as in Stable Diffusion; others stay as they are."""
    found = _BLOCK.match(name)
    if not found:
        return name
    kind, block, place, rest = found[1], int(found[2]), found[3], found[4]
    if kind == "middle_block":
        rest = rest if place is None else f"{place}_{rest}"
        return f"lora_unet_mid_block_{_MIDDLE[block]}_{_RESNET.get(rest, rest)}" if block < 3 else name
    if kind == "input_blocks":
        level, layer = divmod(block - 1, 3)
        if rest == "op":
            return f"lora_unet_down_blocks_{level}_downsamplers_0_conv"
        return f"lora_unet_down_blocks_{level}_{_part(place, layer, rest)}"
    level, layer = divmod(block, 3)
    if rest == "conv":
        return f"lora_unet_up_blocks_{level}_upsamplers_0_conv"
    return f"lora_unet_up_blocks_{level}_{_part(place, layer, rest)}"


def original_name(name: str, *, xl: bool) -> str:
    """The name with the original blocks; the reverse of `diffusers_name`. xl: SDXL's levels."""
    if found := re.match(r"^lora_unet_mid_block_(resnets_0|attentions_0|resnets_1)_(.+)$", name):
        return f"lora_unet_middle_block_{_MIDDLE.index(found[1])}_{_ORIGINAL.get(found[2], found[2])}"
    found = re.match(r"^lora_unet_(down|up)_blocks_(\d)_(resnets|attentions|downsamplers|upsamplers)_(\d)_(.+)$", name)
    if not found:
        return name
    way, level, part, layer, rest = found[1], int(found[2]), found[3], int(found[4]), found[5]
    if part == "downsamplers":
        return f"lora_unet_input_blocks_{3 * level + 3}_0_op"
    if part == "upsamplers":
        # It stands behind the attention, which Stable Diffusion 1 and 2 have on all levels but the lowest.
        return f"lora_unet_output_blocks_{3 * level + 2}_{2 if xl or level else 1}_conv"
    block = f"input_blocks_{3 * level + layer + 1}" if way == "down" else f"output_blocks_{3 * level + layer}"
    return f"lora_unet_{block}_{0 if part == 'resnets' else 1}_{_ORIGINAL.get(rest, rest)}"


def named_for(weights: LoraWeights, targets: Iterable[str]) -> LoraWeights:
    """The same modules under the targets' names, whichever of the two a file uses; strangers keep theirs."""
    known = {diffusers_name(target): target for target in targets}

    def name_of(name: str) -> str:
        common = diffusers_name(name)
        if common in known:
            return known[common]
        # A file without a second text encoder has the plain prefix in some programs, XL's in others.
        for mine, other in (("lora_te_", "lora_te1_"), ("lora_te1_", "lora_te_")):
            if name.startswith(mine) and name.replace(mine, other, 1) in known:
                return name.replace(mine, other, 1)
        return name

    return LoraWeights({name_of(name): module for name, module in weights.modules.items()})


def _part(place: str | None, layer: int, rest: str) -> str:
    return f"attentions_{layer}_{rest}" if place == "1" else f"resnets_{layer}_{_RESNET.get(rest, rest)}"
