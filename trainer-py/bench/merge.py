"""The ordinary way to draw with a LoRA: its change is added to the weights, and taken out again afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from trainer.lora_weights import LoraModule, LoraWeights


@contextmanager
def merged(targets: dict[str, nn.Module], lora: LoraWeights | None, weight: float) -> Iterator[None]:
    """The base model with `lora` merged into its weights; they are exactly the old ones afterwards."""
    kept: dict[str, Tensor] = {}
    try:
        with torch.no_grad():
            for name, module in ({} if lora is None or weight == 0 else lora.modules).items():
                target = cast(Tensor, targets[name].weight)
                kept[name] = target.data
                target.data = target.data + change(module, target.shape).to(target) * weight
        yield
    finally:
        for name, original in kept.items():
            cast(Tensor, targets[name].weight).data = original


def change(module: LoraModule, shape: torch.Size) -> Tensor:
    """up @ down · alpha / rank in the target's shape, float32."""
    product = module.up.float().flatten(1) @ module.down.float().flatten(1)
    return product.view(shape) * module.scale
