"""What DoRA, LoHa and LoKr make of a frozen weight, and their gradients, written out so that nothing need be kept."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from trainer.network.merged_weight import column_norm

Parts = Sequence[Tensor]
"""A layout's tensors in its order, in float32."""


class ChangedWeight(Protocol):
    """A weight with the whole change, and what its gradients need."""

    weight: Tensor
    """(out, in, …), float32."""

    def gradients(self, grad: Tensor) -> list[Tensor]:
        """Gradients of the parts from the one of the changed weight, `grad` (out, in, …) float32."""


def change_weight(
    roles: Sequence[str], weight: Tensor, parts: Parts, scale: float, rows: Tensor | None
) -> ChangedWeight:
    """The frozen `weight` as `parts` change it; `rows` (out, 1) holds 0 for dropped rows of the change."""
    if "dora_scale" in roles:
        return _Dora(weight, parts, scale, rows)
    if roles[0].startswith("hada"):
        return _Loha(weight, parts, scale, rows)
    return _Lokr(roles, weight, parts, scale, rows)


class _Dora:
    def __init__(self, weight: Tensor, parts: Parts, scale: float, rows: Tensor | None) -> None:
        self._parts, self._scale, self._rows = parts, scale, rows
        down, up, magnitude = parts
        self._up = up if rows is None else up * rows
        plain = weight.flatten(1).to(up.dtype)
        self._whole = torch.addmm(plain, self._up, down.flatten(1), alpha=scale).view(weight.shape)
        self._norm = column_norm(self._whole, rows=magnitude.shape[0] == weight.shape[0] != 1)
        self._ratio = magnitude / self._norm
        self.weight = self._whole * self._ratio

    def gradients(self, grad: Tensor) -> list[Tensor]:
        down, up, magnitude = self._parts
        over = [axis for axis in range(grad.ndim) if magnitude.shape[axis] == 1]
        # Along the columns nothing but the lengths counts.
        lengths = (grad * self._whole).sum(over, keepdim=True).div_(self._norm)
        inner = torch.addcmul(grad * self._ratio, self._whole, lengths * self._ratio / self._norm, value=-1).flatten(1)
        grad_up = torch.mm(inner, down.flatten(1).T).mul_(self._scale)
        grad_down = torch.mm(self._up.T, inner).mul_(self._scale)
        return [grad_down.view(down.shape), grad_up if self._rows is None else grad_up.mul_(self._rows), lengths]


class _Loha:
    def __init__(self, weight: Tensor, parts: Parts, scale: float, rows: Tensor | None) -> None:
        self._parts, self._scale, self._rows = parts, scale, rows
        first_a, first_b, second_a, second_b = parts
        self._first, self._second = torch.mm(first_a, first_b), torch.mm(second_a, second_b)
        first = self._first if rows is None else self._first * rows
        plain = weight.flatten(1).to(first.dtype)
        self.weight = torch.addcmul(plain, first, self._second, value=scale).view(weight.shape)

    def gradients(self, grad: Tensor) -> list[Tensor]:
        first_a, first_b, second_a, second_b = self._parts
        inner = _inner(grad, self._scale, self._rows)
        first, second = self._second.mul_(inner), self._first.mul_(inner)
        return [
            torch.mm(first, first_b.T),
            torch.mm(first_a.T, first),
            torch.mm(second, second_b.T),
            torch.mm(second_a.T, second),
        ]


class _Lokr:
    def __init__(self, roles: Sequence[str], weight: Tensor, parts: Parts, scale: float, rows: Tensor | None) -> None:
        self._roles, self._parts, self._scale, self._rows = roles, parts, scale, rows
        self._first = parts[0] if "lokr_w1" in roles else torch.mm(parts[0], parts[1])  # (a, c)
        second = parts[-1] if "lokr_w2" in roles else torch.mm(parts[-2], parts[-1])
        self._second = second.flatten(1)  # (b, d · kh · kw)
        out, inside = weight.shape[0] // self._first.shape[0], weight.shape[1] // self._first.shape[1]
        whole = self._first[:, None, :, None, None] * self._second.view(1, out, 1, inside, -1)
        change = whole.view(weight.shape[0], -1)
        plain = weight.flatten(1).to(change.dtype)
        change = change if rows is None else change.mul_(rows)
        self.weight = torch.add(plain, change, alpha=scale).view(weight.shape)

    def gradients(self, grad: Tensor) -> list[Tensor]:
        (a, c), b = self._first.shape, self._second.shape[0]
        inner = _inner(grad, self._scale, self._rows)
        pairs = inner.view(a, b, c, -1).transpose(1, 2).reshape(a * c, -1)  # (a · c, b · d · kh · kw)
        first = torch.mv(pairs, self._second.reshape(-1)).view(a, c)
        second = torch.mv(pairs.T, self._first.reshape(-1)).view(b, -1)
        cut = 1 if "lokr_w1" in self._roles else 2
        found = [first] if cut == 1 else _product_gradients(self._parts[:2], first)
        if "lokr_w2" in self._roles:
            return [*found, second.view(self._parts[-1].shape)]
        return found + _product_gradients(self._parts[cut:], second)


def _inner(grad: Tensor, scale: float, rows: Tensor | None) -> Tensor:
    flat = grad.flatten(1)
    return flat * scale if rows is None else flat * (rows * scale)


def _product_gradients(pair: Parts, grad: Tensor) -> list[Tensor]:
    return [torch.mm(grad, pair[1].T), torch.mm(pair[0].T, grad)]
