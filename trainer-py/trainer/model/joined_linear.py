"""Linear layers that read the same input, with their weights one behind another."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class JoinedLinear:
    """Several frozen layers of one input as one matrix product, as long as nothing is hooked into any of them.

    Until `place` they are ordinary layers on whatever device they were made. `hook` may compute all of them at once; it
    gives None where it leaves that to the layers. Each layer knows this object as `joined`.
    """

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        self.layers = tuple(layers)
        self.sizes = tuple(layer.out_features for layer in layers)
        self.weight: Tensor | None = None
        self.bias: Tensor | None = None
        self.hook: Callable[[Tensor], Sequence[Tensor] | None] | None = None
        for layer in layers:
            layer.__dict__["joined"] = self

    def place(self, device: torch.device, dtype: torch.dtype) -> None:
        """Give all layers unset weights of one storage; whoever fills them fills the joined ones."""
        rows = sum(self.sizes)
        self.weight = torch.empty(rows, self.layers[0].in_features, device=device, dtype=dtype)
        self.bias = torch.empty(rows, device=device, dtype=dtype) if self.layers[0].bias is not None else None
        for layer, weight in zip(self.layers, self.weight.split(self.sizes), strict=True):
            layer.weight = nn.Parameter(weight, requires_grad=False)
        if self.bias is not None:
            for layer, bias in zip(self.layers, self.bias.split(self.sizes), strict=True):
                layer.bias = nn.Parameter(bias, requires_grad=False)

    def __call__(self, x: Tensor) -> Sequence[Tensor]:
        """Outputs (…, out) of x (…, in), in the layers' order."""
        found = self.hook(x) if self.hook else None
        if found is not None:
            return found
        if self.weight is None or any("forward" in layer.__dict__ for layer in self.layers):
            return [layer(x) for layer in self.layers]
        return F.linear(x, self.weight, self.bias).split(self.sizes, dim=-1)
