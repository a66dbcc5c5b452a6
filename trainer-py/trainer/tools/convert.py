"""The same LoRA in another program's spelling."""

import re
from pathlib import Path
from typing import Any

from torch import Tensor

from trainer.failure import Failure
from trainer.network.lora_file import SAVE_DTYPES
from trainer.network.lora_names import diffusers_name, original_name
from trainer.network.lora_weights import LoraModule, LoraWeights, NetworkModule
from trainer.tools.known_models import kind_of
from trainer.tools.lora_on_disk import LoraOnDisk, read_whole, write_lora, write_tensors
from trainer.tools.requests import Convert

_ATTENTION = re.compile(
    r"^(down_blocks|up_blocks)_(\d)_attentions_(\d)_(.+)$|^(mid_block)_attentions_(0)_(.+)$",
)
_INNER = re.compile(
    r"^(?:proj_in|proj_out|transformer_blocks_\d+_(?:attn[12]_to_(?:q|k|v|out_0)|ff_net_0_proj|ff_net_2))$"
)
_RESNET = re.compile(
    r"^(?:(down_blocks|up_blocks)_(\d)|(mid_block))_resnets_(\d)_(conv1|conv2|time_emb_proj|conv_shortcut)$"
)
_SAMPLER = re.compile(r"^(down_blocks|up_blocks)_(\d)_(downsamplers|upsamplers)_0_conv$")
_TEXT = re.compile(r"^text_model_encoder_layers_(\d+)_(self_attn_(?:q|k|v|out)_proj|mlp_fc[12])$")
_PARTS = {"lora_unet_": "unet", "lora_te_": "text_encoder", "lora_te1_": "text_encoder", "lora_te2_": "text_encoder_2"}


def convert(request: Convert) -> dict[str, Any]:
    """Write the LoRA with kohya's keys or PEFT's as diffusers loads them; alpha is folded into the latter's up halves.

    Raises Failure `bad_request` for a network that the other spelling has no words for.
    """
    old = read_whole(Path(request.file))
    precision = request.precision or old.precision
    names = list(old.weights.modules)
    if request.style == "kohya":
        xl = kind_of(old.metadata, names) == "sdxl"
        modules = {_kohya(name, xl=xl): module for name, module in old.weights.modules.items()}
        weights = LoraWeights(modules)
        return write_lora(
            Path(request.out), weights, old.metadata, note="converted to kohya's keys", precision=precision
        )
    tensors = _peft(old, precision)
    return write_tensors(Path(request.out), tensors, old.metadata, note="converted to diffusers' (PEFT's) keys")


def dotted_path(name: str) -> str | None:
    """diffusers' path of a layer, such as `unet.mid_block.attentions.0.proj_in`, by its kohya name; None for others."""
    common = diffusers_name(name)
    prefix = next((prefix for prefix in _PARTS if common.startswith(prefix)), None)
    if prefix is None:
        return None
    inner = common.removeprefix(prefix)
    path = _unet_path(inner) if prefix == "lora_unet_" else _text_path(inner)
    return None if path is None else f"{_PARTS[prefix]}.{path}"


def _kohya(name: str, *, xl: bool) -> str:
    if not xl:
        return diffusers_name(name)
    return original_name(re.sub(r"^lora_te_", "lora_te1_", name), xl=True)


def _peft(old: LoraOnDisk, precision: str) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for name, module in old.weights.modules.items():
        path = dotted_path(name)
        if path is None:
            raise _no_words(old.path, f"the layer {name}")
        for end, tensor in _pair(module, old.path).items():
            tensors[f"{path}.{end}.weight"] = tensor.to(SAVE_DTYPES[precision]).contiguous()
    return tensors


def _pair(module: NetworkModule, path: Path) -> dict[str, Tensor]:
    if not isinstance(module, LoraModule) or module.dora_scale is not None:
        raise _no_words(path, f"a {module.kind}")
    return {"lora_A": module.down.float(), "lora_B": module.up.float() * module.scale}


def _unet_path(name: str) -> str | None:
    if found := _ATTENTION.match(name):
        block, level, layer, inner = found.group(1, 2, 3, 4) if found[1] else (found[5], None, found[6], found[7])
        if not _INNER.match(inner):
            return None
        inner = re.sub(r"^transformer_blocks_(\d+)_", r"transformer_blocks.\1.", inner)
        inner = re.sub(r"(attn[12])_to_", r"\1.to_", inner).replace("to_out_0", "to_out.0")
        inner = inner.replace("ff_net_0_proj", "ff.net.0.proj").replace("ff_net_2", "ff.net.2")
        return ".".join(part for part in (block, level, "attentions", layer, inner) if part is not None)
    if found := _RESNET.match(name):
        place = f"{found[1]}.{found[2]}" if found[1] else found[3]
        return f"{place}.resnets.{found[4]}.{found[5]}"
    if found := _SAMPLER.match(name):
        return f"{found[1]}.{found[2]}.{found[3]}.0.conv"
    return None


def _text_path(name: str) -> str | None:
    found = _TEXT.match(name)
    if not found:
        return None
    inner = found[2].replace("self_attn_", "self_attn.").replace("mlp_", "mlp.")
    return f"text_model.encoder.layers.{found[1]}.{inner}"


def _no_words(path: Path, what: str) -> Failure:
    return Failure(
        "bad_request",
        f"Expected a LoRA that diffusers' keys can spell, but {path.name} has {what}; keep it in kohya's keys.",
    )
