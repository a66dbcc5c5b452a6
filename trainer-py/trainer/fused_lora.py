"""A frozen linear layer plus its LoRA as one autograd function."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


class FusedLora(torch.autograd.Function):
    """y = x Wᵀ + b + scale · (x Aᵀ) Bᵀ with only x and the rank-sized product kept for backward.

    x (…, in), weight (out, in), bias (out) or None, down (rank, in) and up (out, rank) float32 masters that receive
    the gradients, down_low and up_low their values in x's type. The scale is folded into the rank-sized tensors.
    """

    @staticmethod
    def forward(  # noqa: PLR0913
        ctx: Any,  # noqa: ANN401
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        down: Tensor,
        up: Tensor,
        down_low: Tensor,
        up_low: Tensor,
        scale: float,
    ) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])  # (n, in)
        hidden = (rows @ down_low.T).mul_(scale)  # (n, rank)
        y = F.linear(rows, weight, bias).addmm_(hidden, up_low.T)  # (n, out)
        ctx.save_for_backward(rows, hidden, weight, down_low, up_low)
        ctx.scale, ctx.shape = scale, x.shape
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        rows, hidden, weight, down_low, up_low = ctx.saved_tensors
        grad = grad.reshape(-1, grad.shape[-1])  # (n, out)
        grad_hidden = (grad @ up_low).mul_(ctx.scale)  # (n, rank)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = (grad @ weight).addmm_(grad_hidden, down_low).view(ctx.shape)
        grad_down = (grad_hidden.T @ rows).float()
        grad_up = (grad.T @ hidden).float()
        return grad_x, None, None, grad_down, grad_up, None, None, None
