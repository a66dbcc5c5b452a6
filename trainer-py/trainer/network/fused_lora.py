"""A frozen layer plus its LoRA as one autograd function."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.model.activation import Activation

Drop = Callable[[int, int, int], Tensor]
"""(samples, positions, rank) → factors of that shape for the rank-sized product, 0 where it is dropped."""


@dataclass(frozen=True)
class LinearLora:
    """What one call of `FusedLora` needs besides its input, none of which it keeps for the backward pass.

    weight (out, in), or what makes it for the moment; bias (out) or None; down (rank, in), up (out, rank) in the
    weight's type. The masters' gradients are float32 or wider. Transposed views are made once, as each costs a call.
    """

    weight: Tensor | Callable[[], Tensor]
    bias: Tensor | None
    down: Tensor
    up: Tensor
    scale: float

    def __post_init__(self) -> None:
        for name in ("down", "up"):
            object.__setattr__(self, f"{name}_t", getattr(self, name).t())
        fixed = self.weight.t() if isinstance(self.weight, Tensor) else None
        object.__setattr__(self, "_weight_t", fixed)

    def weight_now(self) -> Tensor:
        """(out, in)"""
        return self.weight if isinstance(self.weight, Tensor) else self.weight()

    def weight_t(self) -> Tensor:
        """(in, out)"""
        return self.weight_now().t() if self._weight_t is None else self._weight_t

    _weight_t: Tensor | None = field(init=False)
    down_t: Tensor = field(init=False)
    up_t: Tensor = field(init=False)


class FusedLora(torch.autograd.Function):
    """y = x Wᵀ + b + scale · (x Aᵀ) Bᵀ with only x and the rank-sized product kept for backward.

    x (…, in); down and up are the masters. Where a master has a gradient already, that is added to in place.
    activation: what x goes through first; its result is made again for the backward pass instead of being kept.
    """

    @staticmethod
    def forward(  # noqa: PLR0913
        ctx: Any,  # noqa: ANN401
        x: Tensor,
        down: Tensor,
        up: Tensor,
        layer: LinearLora,
        drop: Drop | None = None,
        activation: Activation | None = None,
    ) -> Tensor:
        kept = as_rows(x)
        rows = activation.again(kept)[0] if activation else kept  # (n, in)
        hidden = torch.mm(rows, layer.down_t)  # (n, rank)
        mask = None
        if drop is not None:
            mask = drop(x.shape[0], rows.shape[0] // x.shape[0], hidden.shape[1]).view_as(hidden)
            hidden.mul_(mask)
        y = linear(rows, layer.weight_t(), layer.bias)
        y.addmm_(hidden, layer.up_t, alpha=layer.scale)  # (n, out)
        ctx.save_for_backward(kept, hidden, mask)
        ctx.layer, ctx.masters, ctx.shape, ctx.activation = layer, (down, up), x.shape, activation
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        kept, hidden, mask = ctx.saved_tensors
        layer, (down, up), activation = ctx.layer, ctx.masters, ctx.activation
        rows, state = activation.again(kept) if activation else (kept, kept)
        grad = as_rows(grad)  # (n, out)
        grad_hidden = torch.mm(grad, layer.up)  # (n, rank), without the scale
        if mask is not None:
            grad_hidden.mul_(mask)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = torch.mm(grad, layer.weight_now()).addmm_(grad_hidden, layer.down, alpha=layer.scale)
            grad_x = (activation.gradient(kept, state, grad_x) if activation else grad_x).view(ctx.shape)
        grad_down = add_product(down, grad_hidden.t(), rows, layer.scale)
        grad_up = add_product(up, grad.t(), hidden, layer.scale)
        return grad_x, grad_down, grad_up, None, None, None


def as_rows(x: Tensor) -> Tensor:
    """x (…, width) as (n, width)."""
    if x.ndim == 2:
        return x
    return x.view(-1, x.shape[-1]) if x.is_contiguous() else x.reshape(-1, x.shape[-1])


def linear(rows: Tensor, weight_t: Tensor, bias: Tensor | None) -> Tensor:
    """rows (n, in) through a weight (in, out)."""
    return torch.mm(rows, weight_t) if bias is None else torch.addmm(bias, rows, weight_t)


def add_product(master: Tensor, left: Tensor, right: Tensor, scale: float) -> Tensor | None:
    """Add scale · left @ right to the master's gradient in place; given back where it has none yet."""
    gradient = master.grad
    if gradient is None:
        return torch.mm(left, right).mul_(scale).to(master.dtype)
    if gradient.dtype == left.dtype:
        gradient.addmm_(left, right, alpha=scale)
    else:
        gradient.add_(torch.mm(left, right), alpha=scale)
    return None


class FusedConvLora(torch.autograd.Function):
    """y = conv(x, W, b) + scale · (conv(x, A)) Bᵀ over channels, with only x and the rank-sized product kept.

    x (B, in, h, w), module a Conv2d that is not trained, down (rank, in, kh, kw) and up (out, rank) float32 masters,
    down_low and up_low their values in x's type.
    """

    @staticmethod
    def forward(  # noqa: PLR0913
        ctx: Any,  # noqa: ANN401
        x: Tensor,
        module: nn.Conv2d,
        down: Tensor,
        up: Tensor,
        down_low: Tensor,
        up_low: Tensor,
        scale: float,
        drop: Drop | None = None,
    ) -> Tensor:
        y = _convolve(module, x, module.weight, module.bias)
        hidden = _convolve(module, x, down_low, None).mul_(scale)  # (B, rank, h, w)
        mask = None
        if drop is not None:
            batch, rank, height, width = hidden.shape
            mask = drop(batch, height * width, rank).transpose(1, 2).reshape(hidden.shape)
            hidden.mul_(mask)
        y = _add_up(y, hidden, up_low)
        ctx.save_for_backward(x, hidden, down_low, up_low, mask)
        ctx.scale, ctx.module = scale, module
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        x, hidden, down_low, up_low, mask = ctx.saved_tensors
        grad_hidden = F.conv2d(grad, up_low.T[:, :, None, None]).mul_(ctx.scale)
        if mask is not None:
            grad_hidden.mul_(mask)
        needs_x = ctx.needs_input_grad[0]
        from_down, grad_down, _ = convolution_backward(ctx.module, grad_hidden, x, down_low, (needs_x, True))
        grad_x = None
        if needs_x:
            grad_x = convolution_backward(ctx.module, grad, x, ctx.module.weight, (True, False))[0]
            grad_x.add_(from_down)
        kind = torch.promote_types(x.dtype, torch.float32)
        # A batch's products are summed in full precision.
        grad_up = (grad.flatten(2) @ hidden.flatten(2).transpose(1, 2)).to(kind).sum(0)
        return grad_x, None, grad_down.to(kind), grad_up, None, None, None, None


def convolution_backward(
    module: nn.Conv2d, grad: Tensor, x: Tensor, weight: Tensor, wanted: tuple[bool, bool]
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients to x and to `weight` of a convolution with `module`'s stride and padding; what isn't wanted is None."""
    geometry = (module.stride, module.padding, module.dilation, False, (0, 0), module.groups)
    return torch.ops.aten.convolution_backward(grad, x, weight, None, *geometry, (*wanted, False))


def _convolve(module: nn.Conv2d, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return F.conv2d(x, weight, bias, module.stride, module.padding, module.dilation, module.groups)


def _add_up(y: Tensor, hidden: Tensor, up: Tensor) -> Tensor:
    # In place over whichever memory layout the convolution has chosen.
    if y.is_contiguous(memory_format=torch.channels_last):
        rows = y.permute(0, 2, 3, 1).view(-1, y.shape[1])
        rows.addmm_(hidden.permute(0, 2, 3, 1).reshape(-1, hidden.shape[1]), up.T)
        return y
    whole = y.contiguous()
    whole.flatten(2).baddbmm_(up.expand(y.shape[0], *up.shape), hidden.flatten(2))
    return whole
