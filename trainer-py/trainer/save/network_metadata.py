"""What a saved file says about its network, in the words of sd-scripts and LyCORIS."""

import json
from typing import Any

from trainer.network.lora_weights import LoraWeights
from trainer.network.module_blocks import SD_BLOCKS, SDXL_BLOCKS, BlockValues
from trainer.settings import Settings


def network_facts(settings: Settings, weights: LoraWeights | None = None, *, xl: bool = False) -> dict[str, Any]:
    """ss_network_* and ss_scale_weight_norms; after a start with the dims of `weights`, "Dynamic" for a mixture."""
    own = settings.network_type in ("lora", "locon")
    args = _common(settings) | (_blocks(settings, xl) if own else _lycoris(settings))
    facts: dict[str, Any] = {
        "ss_network_module": "networks.lora" if own else "lycoris.kohya",
        "ss_network_dim": settings.network_dim,
        "ss_network_alpha": settings.network_alpha,
        "ss_network_dropout": settings.network_dropout or None,
        "ss_scale_weight_norms": settings.scale_weight_norms or None,
    }
    if settings.network_weights and weights is not None:
        dims = {(module.rank, module.alpha) for module in weights.modules.values()}
        dim, alpha = dims.pop() if len(dims) == 1 else ("Dynamic", "Dynamic")
        facts |= {"ss_network_dim": dim, "ss_network_alpha": alpha}
    return facts | ({"ss_network_args": json.dumps(args)} if args else {})


def _common(settings: Settings) -> dict[str, str]:
    found: dict[str, str] = {}
    if settings.conv_dim:
        found |= {"conv_dim": str(settings.conv_dim), "conv_alpha": f"{settings.conv_alpha:g}"}
    for name in ("rank_dropout", "module_dropout"):
        if value := getattr(settings, name):
            found[name] = f"{value:g}"
    if settings.lora_plus_ratio != 1:
        found["loraplus_lr_ratio"] = f"{settings.lora_plus_ratio:g}"
    return found


def _blocks(settings: Settings, xl: bool) -> dict[str, str]:
    if not (settings.block_dims or settings.block_alphas):
        return {}
    dims = BlockValues.parse(settings.block_dims, settings.network_dim)
    alphas = BlockValues.parse(settings.block_alphas, settings.network_alpha)
    names = [_some_name(index, xl) for index in range(SDXL_BLOCKS if xl else SD_BLOCKS)]
    return {
        "block_dims": ",".join(str(int(dims.of(name))) for name in names),
        "block_alphas": ",".join(f"{alphas.of(name):g}" for name in names),
    }


def _some_name(index: int, xl: bool) -> str:
    if xl:
        ways = (("input_blocks", 1), ("middle_block", 10), ("output_blocks", 13))
        kind, first = next((way for way in reversed(ways) if index >= way[1]), ("time_embed", 0))
        return f"lora_unet_{kind}_{index - first}_" if index < SDXL_BLOCKS - 1 else "lora_unet_out_0_"
    if index == 12:
        return "lora_unet_mid_block_"
    way, place = ("down", max(0, index - 1)) if index < 12 else ("up", index - 13)
    return f"lora_unet_{way}_blocks_{place // 3}_resnets_{place % 3}_"


def _lycoris(settings: Settings) -> dict[str, str]:
    found = {"algo": "lora" if settings.network_type == "dora" else settings.network_type}
    # Its full preset takes a few layers besides; without convolutions the other one is exactly what was trained.
    found["preset"] = "full" if settings.conv_dim else "attn-mlp"
    if settings.network_type == "dora":
        found |= {"dora_wd": "True", "wd_on_output": "False"}
    if settings.network_type == "lokr":
        found |= {"factor": str(settings.lokr_factor)}
        found |= {"decompose_both": "True"} if settings.decompose_both else {}
    return found
