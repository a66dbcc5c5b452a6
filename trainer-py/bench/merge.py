"""The ordinary way to draw with a LoRA: its change is added to the weights, and taken out again afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor, nn

from trainer.network.lora_weights import LoraModule, LoraWeights, NetworkModule


@contextmanager
def merged(targets: dict[str, nn.Module], lora: LoraWeights | None, weight: float) -> Iterator[None]:
    """The base model with `lora` merged into its weights; they are exactly the old ones afterwards."""
    kept: dict[str, Tensor] = {}
    try:
        with torch.no_grad():
            for name, module in ({} if lora is None or weight == 0 else lora.modules).items():
                target = cast(Tensor, targets[name].weight)
                kept[name] = target.data.clone()
                # In place, because a layer may share its storage with others.
                target.data.add_(change(module, target.shape).to(target), alpha=weight)
        yield
    finally:
        for name, original in kept.items():
            cast(Tensor, targets[name].weight).data.copy_(original)


def change(module: NetworkModule, shape: torch.Size) -> Tensor:
    """up @ down · alpha / rank in the target's shape, float32; no other kind of network is known here."""
    assert isinstance(module, LoraModule)
    product = module.up.float().flatten(1) @ module.down.float().flatten(1)
    return product.view(shape) * module.scale
