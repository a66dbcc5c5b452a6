"""Names of the original Stable Diffusion 1 layout for parameters named as diffusers and transformers do."""

import re

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
TEXT_PREFIX = "cond_stage_model.transformer.text_model."

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}

_UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}

_VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}


def unet_key(name: str) -> str:
    """The checkpoint's key of the diffusers UNet parameter `name` (four levels, two blocks each)."""
    stem, leaf = name.rsplit(".", 1)
    if stem in _UNET_ENDS:
        return f"{UNET_PREFIX}{_UNET_ENDS[stem]}.{leaf}"
    return f"{UNET_PREFIX}{_unet_stem(stem)}.{leaf}"


def vae_key(name: str) -> str:
    """The checkpoint's key of the diffusers AutoencoderKL parameter `name` (four levels)."""
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"down_blocks\.(\d)\.resnets\.(\d)", r"down.\1.block.\2", name)
    name = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{3 - int(m[1])}.upsample", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets\.(\d)", lambda m: f"up.{3 - int(m[1])}.block.{m[2]}", name)
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
    name = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    attention = re.fullmatch(r"(\w+)\.mid_block\.attentions\.0\.(.+)\.(weight|bias)", name)
    if attention:
        name = f"{attention[1]}.mid.attn_1.{_VAE_ATTENTION[attention[2]]}.{attention[3]}"
    return VAE_PREFIX + name


def text_key(name: str) -> str:
    """The checkpoint's key of the CLIP text model's parameter `name`, with or without its own `text_model.`."""
    return TEXT_PREFIX + name.removeprefix("text_model.")


def _unet_stem(stem: str) -> str:
    middle = re.fullmatch(r"mid_block\.(resnets|attentions)\.(\d)\.(.+)", stem)
    if middle:
        place = 1 if middle[1] == "attentions" else 2 * int(middle[2])
        return f"middle_block.{place}.{_inner(middle[1], middle[3])}"
    sampler = re.fullmatch(r"(down|up)_blocks\.(\d)\.\w+samplers\.0\.conv", stem)
    if sampler:
        level = int(sampler[2])
        if sampler[1] == "down":
            return f"input_blocks.{3 * level + 3}.0.op"
        return f"output_blocks.{3 * level + 2}.{1 if level == 0 else 2}.conv"
    block = re.fullmatch(r"(down|up)_blocks\.(\d)\.(resnets|attentions)\.(\d)\.(.+)", stem)
    if not block:
        raise ValueError(f"no Stable Diffusion 1 key is known for the UNet parameter {stem}")
    index = 3 * int(block[2]) + int(block[4])
    side = f"input_blocks.{index + 1}" if block[1] == "down" else f"output_blocks.{index}"
    return f"{side}.{1 if block[3] == 'attentions' else 0}.{_inner(block[3], block[5])}"


def _inner(kind: str, rest: str) -> str:
    return _RESNET[rest] if kind == "resnets" else rest
