"""What DoRA, LoHa and LoKr make of a frozen weight, and their gradients, written out so that nothing need be kept."""

from collections.abc import Sequence

import torch
from torch import Tensor

from trainer.merged_weight import column_norm

Parts = Sequence[Tensor]
"""A layout's tensors in its order, in float32."""


def changed_weight(roles: Sequence[str], weight: Tensor, parts: Parts, scale: float, rows: Tensor | None) -> Tensor:
    """The weight (out, in, …) with the whole change, float32; `rows` (out, 1) holds 0 for dropped rows of it."""
    plain = weight.flatten(1).to(parts[0].dtype)
    if "dora_scale" in roles:
        whole = _added(plain, parts, scale, rows).view(weight.shape)
        return whole * (parts[2] / _norm(whole, parts[2]))
    change = _loha(parts) if roles[0].startswith("hada") else _lokr(roles, parts, weight)
    if rows is not None:
        change = change * rows
    return torch.add(plain, change, alpha=scale).view(weight.shape)


def part_gradients(
    roles: Sequence[str], weight: Tensor, parts: Parts, scale: float, rows: Tensor | None, grad: Tensor
) -> list[Tensor]:
    """Gradients of `parts` from the one of the changed weight, `grad` (out, in, …) float32."""
    if "dora_scale" in roles:
        return _dora_gradients(weight, parts, scale, rows, grad)
    grad = grad.flatten(1) * scale
    if rows is not None:
        grad = grad * rows
    if roles[0].startswith("hada"):
        return _loha_gradients(parts, grad)
    return _lokr_gradients(roles, parts, weight, grad)


def _added(plain: Tensor, parts: Parts, scale: float, rows: Tensor | None) -> Tensor:
    up = parts[1] if rows is None else parts[1] * rows
    return torch.addmm(plain, up, parts[0].flatten(1), alpha=scale)


def _norm(whole: Tensor, magnitude: Tensor) -> Tensor:
    return column_norm(whole, rows=magnitude.shape[0] == whole.shape[0] != 1)


def _dora_gradients(weight: Tensor, parts: Parts, scale: float, rows: Tensor | None, grad: Tensor) -> list[Tensor]:
    down, up, magnitude = parts
    whole = _added(weight.flatten(1).to(up.dtype), parts, scale, rows).view(weight.shape)
    norm = _norm(whole, magnitude)
    over = [axis for axis in range(whole.ndim) if magnitude.shape[axis] == 1]
    along = (grad * whole).sum(over, keepdim=True)
    inner = grad * (magnitude / norm) - whole * (along * magnitude / norm**3)
    inner = inner.flatten(1)
    grad_up = (inner @ down.flatten(1).T).mul_(scale)
    grad_down = ((up if rows is None else up * rows).T @ inner).mul_(scale)
    return [grad_down.view(down.shape), grad_up if rows is None else grad_up.mul_(rows), along / norm]


def _loha(parts: Parts) -> Tensor:
    return (parts[0] @ parts[1]).mul_(parts[2] @ parts[3])


def _loha_gradients(parts: Parts, grad: Tensor) -> list[Tensor]:
    first_a, first_b, second_a, second_b = parts
    first = (second_a @ second_b).mul_(grad)
    second = (first_a @ first_b).mul_(grad)
    return [first @ first_b.T, first_a.T @ first, second @ second_b.T, second_a.T @ second]


def _lokr(roles: Sequence[str], parts: Parts, weight: Tensor) -> Tensor:
    first, second = _lokr_factors(roles, parts)
    out, inside = weight.shape[0] // first.shape[0], weight.shape[1] // first.shape[1]
    whole = first[:, None, :, None, None] * second.view(1, out, 1, inside, -1)
    return whole.view(weight.shape[0], -1)


def _lokr_gradients(roles: Sequence[str], parts: Parts, weight: Tensor, grad: Tensor) -> list[Tensor]:
    first, second = _lokr_factors(roles, parts)
    (a, c), b = first.shape, second.shape[0]
    pairs = grad.view(a, b, c, -1).permute(0, 2, 1, 3).reshape(a * c, -1)  # (a · c, b · d · kh · kw)
    grad_first = (pairs @ second.reshape(-1)).view(a, c)
    grad_second = (first.reshape(-1) @ pairs).view(b, -1)
    cut = 1 if "lokr_w1" in roles else 2
    found = [grad_first] if cut == 1 else _product_gradients(parts[:2], grad_first)
    if "lokr_w2" in roles:
        return [*found, grad_second.view(parts[-1].shape)]
    return found + _product_gradients(parts[cut:], grad_second)


def _lokr_factors(roles: Sequence[str], parts: Parts) -> tuple[Tensor, Tensor]:
    first = parts[0] if "lokr_w1" in roles else parts[0] @ parts[1]
    second = parts[-1] if "lokr_w2" in roles else parts[-2] @ parts[-1]
    return first, second.flatten(1)


def _product_gradients(pair: Parts, grad: Tensor) -> list[Tensor]:
    return [grad @ pair[1].T, pair[0].T @ grad]
