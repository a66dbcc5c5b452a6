"""The changes of several LoRAs to one layer as two tensors."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from trainer.network.lora_weights import LoraModule


@dataclass(frozen=True)
class LoraStack:
    """One target's LoRAs, padded with zeros to one rank.

    down: (loras, in, rank), or (loras, rank, in, kh, kw) of a convolution with a kernel; up: (loras, rank, out);
    scales: alpha / rank of each, 0 for a LoRA that leaves the layer alone.
    """

    down: Tensor
    up: Tensor
    scales: tuple[float, ...]


def stack_loras(target: nn.Module, modules: Sequence[LoraModule | None]) -> LoraStack:
    """The LoRAs' `modules`, which fit the layer `target`, in its precision; at least one of them is there."""
    assert isinstance(target, (nn.Linear, nn.Conv2d))
    weight: Tensor = target.weight
    rank = max(module.rank for module in modules if module is not None)
    kernel = tuple(weight.shape[2:]) if weight.ndim == 4 and weight.shape[2:].numel() > 1 else ()
    inside, outside = weight.shape[1], weight.shape[0]
    down = weight.new_zeros((len(modules), rank, inside, *kernel))
    up = weight.new_zeros((len(modules), rank, outside))
    for index, module in enumerate(modules):
        if module is not None:
            down[index, : module.rank] = module.down.detach().to(down).reshape(module.rank, inside, *kernel)
            up[index, : module.rank] = module.up.detach().to(up).reshape(outside, module.rank).T
    scales = tuple(0.0 if module is None else module.scale for module in modules)
    return LoraStack(down if kernel else down.transpose(1, 2).contiguous(), up, scales)
