"""Linear layers that read the same input, with their weights one behind another."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.model.frozen_ops import frozen_linear
from trainer.model.packed_weight import PackedWeight


class JoinedLinear:
    """Several frozen layers of one input as one matrix product, as long as nothing is hooked into any of them.

    Until `place` they are ordinary layers on whatever device they were made. `hook` may compute all of them at once; it
    gives None where it leaves that to the layers. Each layer knows this object as `joined`.
    """

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        self.layers = tuple(layers)
        self.sizes = tuple(layer.out_features for layer in layers)
        self._weight: Tensor | None = None
        self._packed: PackedWeight | None = None
        self.bias: Tensor | None = None
        self.hook: Callable[[Tensor], Sequence[Tensor] | None] | None = None
        for layer in layers:
            layer.__dict__["joined"] = self

    @property
    def is_placed(self) -> bool:
        return self._weight is not None or self._packed is not None

    @property
    def is_packed(self) -> bool:
        return self._packed is not None

    @property
    def weight(self) -> Tensor:
        """All weights (outs, in), once they are placed; unpacked each time where they are packed."""
        if self._packed is not None:
            return self._packed.unpacked()
        assert self._weight is not None
        return self._weight

    def place(self, device: torch.device, dtype: torch.dtype) -> None:
        """Give all layers unset weights of one storage; whoever fills them fills the joined ones."""
        self._weight = torch.empty(sum(self.sizes), self.layers[0].in_features, device=device, dtype=dtype)
        for layer, weight in zip(self.layers, self._weight.split(self.sizes), strict=True):
            layer.weight = nn.Parameter(weight, requires_grad=False)
        self._place_bias(device, dtype)

    def place_packed(self, packing: str, *, device: torch.device, dtype: torch.dtype) -> None:
        """The same with one packed weight, of which `packed_of` gives each layer's part."""
        shape = (sum(self.sizes), self.layers[0].in_features)
        self._packed = PackedWeight.empty(packing, shape, device=device, dtype=dtype)
        self._place_bias(device, dtype)

    def packed_of(self, layer: nn.Module) -> PackedWeight:
        assert self._packed is not None
        return self._packed.rows(self.sizes)[[each is layer for each in self.layers].index(True)]

    def _place_bias(self, device: torch.device, dtype: torch.dtype) -> None:
        rows = sum(self.sizes)
        self.bias = torch.empty(rows, device=device, dtype=dtype) if self.layers[0].bias is not None else None
        if self.bias is not None:
            for layer, bias in zip(self.layers, self.bias.split(self.sizes), strict=True):
                layer.bias = nn.Parameter(bias, requires_grad=False)

    def __call__(self, x: Tensor) -> Sequence[Tensor]:
        """Outputs (…, out) of x (…, in), in the layers' order."""
        found = self.hook(x) if self.hook else None
        if found is not None:
            return found
        if not self.is_placed or any("forward" in layer.__dict__ for layer in self.layers):
            return [layer(x) for layer in self.layers]
        y = frozen_linear(x, self) if self.is_packed else F.linear(x, self.weight, self.bias)
        return y.split(self.sizes, dim=-1)
