"""A frozen layer whose weight a DoRA, LoHa or LoKr changes, as one autograd function."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.fused_lora import convolution_backward
from trainer.weight_changes import changed_weight, part_gradients


class FusedWeight(torch.autograd.Function):
    """The layer with the changed weight; only x is kept for backward, where the weight is made once more.

    x (…, in) or (B, in, h, w), module a Linear or Conv2d that is not trained, roles and parts those of a layout:
    float32 masters that receive the gradients. rows (out, 1) holds 0 for dropped rows of the change.
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
        weight = changed_weight(roles, module.weight, parts, scale, rows).to(x.dtype)
        ctx.save_for_backward(x, rows, *parts)
        ctx.module, ctx.roles, ctx.scale = module, roles, scale
        if isinstance(module, nn.Linear):
            return F.linear(x, weight, module.bias)
        return F.conv2d(x, weight, module.bias, module.stride, module.padding, module.dilation, module.groups)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        x, rows, *parts = ctx.saved_tensors
        frozen: Tensor = ctx.module.weight
        needs_x: bool = ctx.needs_input_grad[0]
        weight = changed_weight(ctx.roles, frozen, parts, ctx.scale, rows).to(x.dtype) if needs_x else frozen
        grad_x: Tensor | None
        if isinstance(ctx.module, nn.Linear):
            flat = grad.reshape(-1, grad.shape[-1])  # (n, out)
            grad_x = (flat @ weight).view(x.shape) if needs_x else None
            grad_weight = flat.T @ x.reshape(-1, x.shape[-1])  # (out, in)
        else:
            grad_x, grad_weight, _ = convolution_backward(ctx.module, grad, x, weight, (needs_x, True))
        full = grad_weight.to(torch.promote_types(x.dtype, torch.float32))
        return grad_x, None, None, None, None, *part_gradients(ctx.roles, frozen, parts, ctx.scale, rows, full)
