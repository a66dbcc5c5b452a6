"""Names of diffusers' layout in a single-file checkpoint, and back."""

import re

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
TEXT_PREFIXES = ("cond_stage_model.transformer.text_model.", "cond_stage_model.transformer.")

_UNET_TOP = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_UNET_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_VAE_ATTENTION = {
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
    "query": "q",  # diffusers of 2022
    "key": "k",
    "value": "v",
    "proj_attn": "proj_out",
}


def unet_key(name: str, *, layers: int, attention_levels: frozenset[int]) -> str:
    """Checkpoint key of the diffusers UNet parameter `name`.

    layers: residual blocks per level; attention_levels: indices of `up_blocks` that hold attentions.
    """
    module, leaf = name.rsplit(".", 1)
    if module in _UNET_TOP:
        return f"{UNET_PREFIX}{_UNET_TOP[module]}.{leaf}"
    if match := re.fullmatch(r"mid_block\.(resnets|attentions)\.(\d)\.(.+)", name):
        index = 2 * int(match[2]) if match[1] == "resnets" else 1
        return f"{UNET_PREFIX}middle_block.{index}.{_unet_inner(match[1], match[3])}"
    match = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)", name)
    if match is None:
        raise KeyError(name)
    side, level, part, index, rest = match[1], int(match[2]), match[3], int(match[4]), match[5]
    first = level * (layers + 1) + (1 if side == "down" else 0)
    if part == "downsamplers":
        return f"{UNET_PREFIX}input_blocks.{first + layers}.0.{rest.replace('conv', 'op', 1)}"
    if part == "upsamplers":
        return f"{UNET_PREFIX}output_blocks.{first + layers}.{2 if level in attention_levels else 1}.{rest}"
    blocks = "input_blocks" if side == "down" else "output_blocks"
    return f"{UNET_PREFIX}{blocks}.{first + index}.{0 if part == 'resnets' else 1}.{_unet_inner(part, rest)}"


def vae_key(name: str, *, levels: int) -> str:
    """Checkpoint key of the diffusers autoencoder parameter `name`; `levels` is the number of resolutions."""
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda match: f"mid.block_{int(match[1]) + 1}", name)
    if match := re.fullmatch(r"(.+)\.mid_block\.attentions\.0\.(.+)\.(weight|bias)", name):
        return f"{VAE_PREFIX}{match[1]}.mid.attn_1.{_VAE_ATTENTION[match[2]]}.{match[3]}"
    name = re.sub(r"down_blocks\.(\d+)\.resnets", r"down.\1.block", name)
    name = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d+)\.resnets", lambda match: f"up.{levels - 1 - int(match[1])}.block", name)
    name = re.sub(r"up_blocks\.(\d+)\.upsamplers\.0", lambda match: f"up.{levels - 1 - int(match[1])}.upsample", name)
    return VAE_PREFIX + name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")


def diffusers_path(path: str, *, layers: int) -> str:
    """Dotted path in diffusers' UNet of the layer at the dotted `path` in the original one."""
    side, _, rest = path.partition(".")
    if side == "middle_block":
        index, _, inner = rest.partition(".")
        if index == "1":
            return f"mid_block.attentions.0.{inner}"
        return f"mid_block.resnets.{int(index) // 2}.{_resnet_path(inner)}"
    if side not in ("input_blocks", "output_blocks") or rest == "0.0":
        return _top_path(path)
    block, place, inner = (*rest.split(".", 2), "")[:3]
    down = side == "input_blocks"
    level, number = divmod(int(block) - (1 if down else 0), layers + 1)
    group = f"{'down' if down else 'up'}_blocks.{level}"
    if inner == "op":
        return f"{group}.downsamplers.0.conv"
    if inner == "conv":
        return f"{group}.upsamplers.0.conv"
    if place == "0":
        return f"{group}.resnets.{number}.{_resnet_path(inner)}"
    return f"{group}.attentions.{number}.{inner}"


def _top_path(path: str) -> str:
    return next((name for name, original in _UNET_TOP.items() if original == path), path)


def _resnet_path(inner: str) -> str:
    return next((name for name, original in _UNET_RESNET.items() if original == inner), inner)


def _unet_inner(part: str, rest: str) -> str:
    if part == "attentions":
        return rest
    module, leaf = rest.rsplit(".", 1)
    return f"{_UNET_RESNET[module]}.{leaf}"
