"""LoRA files for the tests of the tools, and what a tool answers to a request."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from jsonschema import Draft202012Validator
from torch import Tensor

from naive_networks import naive_weight
from trainer.network.lora_file import lora_bytes, lora_tensors
from trainer.network.lora_weights import LokrModule, LoraModule, LoraWeights, NetworkModule
from trainer.tools.run_tool import run_tool

_SCHEMA = json.loads((Path(__file__).parents[2] / "protocol" / "schema.json").read_text(encoding="utf-8"))
_RESULT = Draft202012Validator({"$ref": "#/$defs/LoraToolResult", "$defs": _SCHEMA["$defs"]})

LINEAR = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
PROJECTION = "lora_unet_down_blocks_0_attentions_0_proj_in"
CONVOLUTION = "lora_unet_down_blocks_0_resnets_0_conv1"
TEXT = "lora_te_text_model_encoder_layers_0_mlp_fc1"
SHAPES = {
    LINEAR: (20, 12),
    PROJECTION: (20, 12, 1, 1),
    CONVOLUTION: (20, 12, 3, 3),
    TEXT: (24, 16),
}
METADATA = {
    "ss_epoch": "3",
    "ss_network_dim": "4",
    "ss_training_comment": "mine",
    "ss_seed": "1",
    "sshs_model_hash": "old",
}


def tool_lora(seed: int, dim: int = 4, alpha: float = 2.0, names: tuple[str, ...] = tuple(SHAPES)) -> LoraWeights:
    """A LoRA of random numbers over layers of every shape."""
    source = torch.Generator().manual_seed(seed)
    modules: dict[str, NetworkModule] = {}
    for name in names:
        out, inside, *kernel = SHAPES[name]
        down = torch.randn(dim, inside, *kernel, generator=source)
        up = torch.randn(out, dim, *(1 for _ in kernel), generator=source)
        modules[name] = LoraModule(down, up, alpha)
    return LoraWeights(modules)


def tool_file(path: Path, weights: LoraWeights, precision: str = "float", **metadata: str) -> str:
    """`weights` as a file with METADATA and `metadata`; its path."""
    content = lora_bytes(lora_tensors(weights, precision), {**METADATA, **metadata})
    path.write_bytes(content.header + content.block)
    return str(path)


def run_request(capfd: pytest.CaptureFixture[str], folder: Path, **request: Any) -> dict[str, Any]:  # noqa: ANN401
    """What a tool answers, checked against the contract."""
    file = folder / "request.json"
    file.write_text(json.dumps(request))
    capfd.readouterr()
    run_tool(str(file))
    result: dict[str, Any] = json.loads(capfd.readouterr().out)
    _RESULT.validate({**result, "tool": request["tool"]})
    return result


def change_of(weights: LoraWeights, name: str) -> Tensor:
    """The change of one layer, by the plain formula."""
    module = weights.modules[name]
    assert not isinstance(module, LokrModule)
    return naive_weight(torch.zeros(SHAPES[name]), module.tensors(), module.scale)
