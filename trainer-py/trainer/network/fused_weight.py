"""A frozen layer whose weight a DoRA, LoHa or LoKr changes, as one autograd function."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.network.fused_lora import convolution_backward
from trainer.network.weight_changes import change_weight


class FusedWeight(torch.autograd.Function):
    """The layer with the changed weight; only x is kept for backward, where the weight is made once more.

    x (…, in) or (B, in, h, w), module a Linear or Conv2d that is not trained, roles and parts those of a layout:
    float32 masters. Where a master has a gradient already, that is added to in place. rows (out, 1) holds 0 for dropped
    rows of the change.
    """

    @staticmethod
    def forward(  # noqa: PLR0913
        ctx: Any,  # noqa: ANN401
        x: Tensor,
        module: nn.Linear | nn.Conv2d,
        roles: tuple[str, ...],
        scale: float,
        rows: Tensor | None,
        *parts: Tensor,
    ) -> Tensor:
        weight = change_weight(roles, module.weight, parts, scale, rows).weight.to(x.dtype)
        ctx.save_for_backward(x, rows)
        ctx.facts = (module, roles, scale, parts)
        if isinstance(module, nn.Linear):
            return F.linear(x, weight, module.bias)
        return F.conv2d(x, weight, module.bias, module.stride, module.padding, module.dilation, module.groups)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        x, rows = ctx.saved_tensors
        module, roles, scale, parts = ctx.facts
        changed = change_weight(roles, module.weight, [part.detach() for part in parts], scale, rows)
        needs_x: bool = ctx.needs_input_grad[0]
        weight = changed.weight.to(x.dtype)
        grad_x: Tensor | None
        if isinstance(module, nn.Linear):
            flat = grad.reshape(-1, grad.shape[-1])  # (n, out)
            grad_x = torch.mm(flat, weight).view(x.shape) if needs_x else None
            grad_weight = torch.mm(flat.T, x.reshape(-1, x.shape[-1]))  # (out, in)
        else:
            grad_x, grad_weight, _ = convolution_backward(module, grad, x, weight, (needs_x, True))
        full = grad_weight.to(torch.promote_types(x.dtype, torch.float32))
        return grad_x, None, None, None, None, *_given(parts, changed.gradients(full))


def _given(parts: Sequence[Tensor], gradients: Sequence[Tensor]) -> list[Tensor | None]:
    """Add to the gradients that masters have already; the others are given back."""
    held = [part.grad for part in parts if part.grad is not None]
    if len(held) < len(parts):
        return [*gradients]
    torch._foreach_add_(held, list(gradients))
    return [None for _ in parts]
