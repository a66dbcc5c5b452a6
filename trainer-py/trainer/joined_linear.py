"""Linear layers that read the same input, with their weights one behind another."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class JoinedLinear:
    """Several frozen layers of one input as one matrix product, as long as nothing is hooked into any of them.

    Until `place` they are ordinary layers on whatever device they were made.
    """

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        self.layers = tuple(layers)
        self._sizes = [layer.out_features for layer in self.layers]
        self._weight: Tensor | None = None
        self._bias: Tensor | None = None

    def place(self, device: torch.device, dtype: torch.dtype) -> None:
        """Give all layers unset weights of one storage; whoever fills them fills the joined ones."""
        rows = sum(self._sizes)
        self._weight = torch.empty(rows, self.layers[0].in_features, device=device, dtype=dtype)
        self._bias = torch.empty(rows, device=device, dtype=dtype) if self.layers[0].bias is not None else None
        for layer, weight in zip(self.layers, self._weight.split(self._sizes), strict=True):
            layer.weight = nn.Parameter(weight, requires_grad=False)
        if self._bias is not None:
            for layer, bias in zip(self.layers, self._bias.split(self._sizes), strict=True):
                layer.bias = nn.Parameter(bias, requires_grad=False)

    def __call__(self, x: Tensor) -> Sequence[Tensor]:
        """Outputs (…, out) of x (…, in), in the layers' order."""
        if self._weight is None or any("forward" in layer.__dict__ for layer in self.layers):
            return [layer(x) for layer in self.layers]
        return F.linear(x, self._weight, self._bias).split(self._sizes, dim=-1)
