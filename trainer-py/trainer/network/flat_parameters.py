"""All trained numbers of one learning rate in one buffer."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor


class FlatParameters:
    """All trained numbers of one group: `value` and its gradient are single float32 tensors, modules hold views.

    Each of the `hands` that work on a batch side by side has a gradient of its own; the first one's is that of `value`.
    `low` is the value in `dtype`. `matrices` are the first hand's leaves, for an optimizer that is defined over them.
    """

    def __init__(self, count: int, *, device: torch.device, dtype: torch.dtype, hands: int) -> None:
        self.value = torch.zeros(count, device=device, requires_grad=True)
        self._gradients = [torch.zeros(count, device=device) for _ in range(hands)]
        self.value.grad = self._gradients[0]
        plain = self.value.detach()
        self.low = plain if dtype == torch.float32 else plain.to(dtype)
        self.matrices: list[Tensor] = []
        self._end = 0

    def refresh(self) -> None:
        """Bring the low-precision copy up to date after a change of `value`."""
        if self.low.dtype != torch.float32:
            self.low.copy_(self.value.detach())

    def gather(self) -> None:
        """Add the other hands' gradients to the first one's, always in the same order, and empty them."""
        for other in self._gradients[1:]:
            self._gradients[0].add_(other)
            other.zero_()

    def place(self, shape: Sequence[int]) -> tuple[list[Tensor], Tensor]:
        """The next numbers as a tensor: per hand a leaf whose gradient lies in its flat one; the low-precision view."""
        at, self._end = self._end, self._end + math.prod(shape)
        leaves = []
        for gradient in self._gradients:
            leaf = self.value.detach()[at : self._end].view(*shape).requires_grad_()
            leaf.grad = gradient[at : self._end].view(*shape)
            leaves.append(leaf)
        self.matrices.append(leaves[0])
        return leaves, self.low[at : self._end].view(*shape)
