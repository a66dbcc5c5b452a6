"""Frozen layers whose weights are packed."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from trainer.model.frozen_ops import FrozenConv, frozen_linear
from trainer.model.joined_linear import JoinedLinear
from trainer.model.packed_weight import PackedWeight
from trainer.model.unet import Unet


class PackedLinear(nn.Linear):
    """A linear layer that is made by `pack_layers`; `weight` unpacks each time it is asked for."""

    packed: PackedWeight

    @property
    def weight(self) -> Tensor:  # type: ignore[override]
        return self.packed.unpacked()

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return frozen_linear(input, self)


class PackedConv(FrozenConv):
    """A convolution that is made by `pack_layers`; `weight` unpacks each time it is asked for."""

    packed: PackedWeight

    @property
    def weight(self) -> Tensor:  # type: ignore[override]
        return self.packed.unpacked()


Packed = PackedLinear | PackedConv


def pack_layers(unet: Unet, packing: str, *, device: torch.device, dtype: torch.dtype) -> None:
    """Give the layers of the blocks unset packed weights ("fp8" or "int8") in the place of their own.

    What is small or comes before and after all blocks stays as it is.
    """
    for each in unet.joined():
        each.place_packed(packing, device=device, dtype=dtype)
    for layer in packable_layers(unet):
        shape = layer.weight.shape
        joined: JoinedLinear | None = layer.__dict__.get("joined")
        memory = torch.channels_last if len(shape) == 4 else torch.contiguous_format
        packed = (
            PackedWeight.empty(packing, shape, device=device, dtype=dtype, memory=memory)
            if joined is None
            else joined.packed_of(layer)
        )
        del layer._parameters["weight"]
        layer.__class__ = PackedLinear if isinstance(layer, nn.Linear) else PackedConv
        layer.__dict__["packed"] = packed
        # As buffers, so that whoever asks for a module's tensors finds them.
        layer.register_buffer("packed_numbers", packed.numbers, persistent=False)
        layer.register_buffer("packed_scale", packed.scale, persistent=False)


def matrix_of(layer: nn.Linear | nn.Conv2d) -> Tensor | Callable[[], Tensor]:
    """A layer's weight as (out, in); of a packed one what unpacks it each time it is asked for."""
    if isinstance(layer, (PackedLinear, PackedConv)):
        return lambda: layer.weight.flatten(1)
    return layer.weight.flatten(1)


def packable_layers(unet: Unet) -> Iterator[nn.Linear | nn.Conv2d]:
    """All linear layers and convolutions of the blocks but the very first one."""
    first = unet.input_blocks[0]
    for part in (unet.input_blocks, unet.middle_block, unet.output_blocks):
        for module in part.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)) and module not in set(first.modules()):
                yield module
