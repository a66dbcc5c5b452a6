"""Several frozen layers of one input, each with its LoRA, as one autograd function."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from trainer.model.joined_linear import JoinedLinear
from trainer.network.fused_lora import LinearLora, as_rows, linear


@dataclass(frozen=True)
class Run:
    """`count` neighbours of one shape: where their outputs and their hidden rows begin, and their up halves in one.

    up: (count, out, rank), in the weight's type; up_gradients: the same of the masters, one a hand.
    """

    first_out: int
    first_hidden: int
    scale: float
    up: Tensor
    up_gradients: tuple[Tensor, ...]

    def outputs(self, y: Tensor) -> Tensor:
        """This run's share of y (n, all outs) as (count, n, out)."""
        count, out, _ = self.up.shape
        return _strided(y, (count, y.shape[0], out), self.first_out)

    def hidden(self, hidden: Tensor) -> Tensor:
        """This run's share of hidden (n, all ranks) as (count, n, rank)."""
        count, _, rank = self.up.shape
        return _strided(hidden, (count, hidden.shape[0], rank), self.first_hidden)


@dataclass(frozen=True)
class JoinedLora:
    """The frozen layers, and down (ranks, in) of all of them together; down_gradients: one a hand."""

    joined: JoinedLinear
    down: Tensor
    down_gradients: tuple[Tensor, ...]
    runs: tuple[Run, ...]
    sizes: tuple[int, ...]

    def __call__(self, x: Tensor, anchor: Tensor, hand: int) -> Sequence[Tensor]:
        """Outputs (…, out) of x (…, in). anchor: any master, so that x need not have a gradient itself."""
        return FusedJoinedLora.apply(x, anchor, self, hand).split(self.sizes, dim=-1)


class FusedJoinedLora(torch.autograd.Function):
    """All outputs (…, outs) side by side; x and the rank-sized products are kept, gradients are added in place."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, anchor: Tensor, layers: JoinedLora, hand: int) -> Tensor:  # noqa: ANN401, ARG004
        rows = as_rows(x)
        hidden = torch.mm(rows, layers.down.t())  # (n, ranks)
        y = linear(rows, layers.joined.weight.t(), layers.joined.bias)  # (n, outs)
        for run in layers.runs:
            run.outputs(y).baddbmm_(run.hidden(hidden), run.up.transpose(1, 2), alpha=run.scale)
        ctx.save_for_backward(rows, hidden)
        ctx.layers, ctx.hand, ctx.shape = layers, hand, x.shape
        return y.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        rows, hidden = ctx.saved_tensors
        layers: JoinedLora = ctx.layers
        grad = as_rows(grad)
        if not grad.is_contiguous():
            grad = grad.contiguous()
        grad_hidden = torch.empty_like(hidden)  # (n, ranks), with the scales
        for run in layers.runs:
            of_run, outputs = run.hidden(grad_hidden), run.outputs(grad)
            torch.baddbmm(of_run, outputs, run.up, beta=0, alpha=run.scale, out=of_run)
            gradient, transposed = run.up_gradients[ctx.hand], outputs.transpose(1, 2)
            if gradient.dtype == grad.dtype:
                gradient.baddbmm_(transposed, run.hidden(hidden), alpha=run.scale)
            else:
                gradient.add_(torch.bmm(transposed, run.hidden(hidden)), alpha=run.scale)
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = torch.mm(grad, layers.joined.weight).addmm_(grad_hidden, layers.down).view(ctx.shape)
        gradient = layers.down_gradients[ctx.hand]
        if gradient.dtype == grad.dtype:
            gradient.addmm_(grad_hidden.t(), rows)
        else:
            gradient.add_(torch.mm(grad_hidden.t(), rows))
        return grad_x, None, None, None


def join_loras(joined: JoinedLinear, loras: Sequence[LinearLora], masters: Sequence[Sequence[Tensor]]) -> JoinedLora:
    """The LoRAs of a joined linear layer as one.

    masters: per layer its down masters of all hands, then its up masters. Halves of one kind must lie behind each other
    in memory, in the layers' order, as must their gradients.
    """
    assert joined.is_placed
    hands = len(masters[0]) // 2
    ranks = sum(lora.down.shape[0] for lora in loras)
    first_out = first_hidden = 0
    runs = []
    places = groupby(range(len(loras)), key=lambda at: (loras[at].up.shape, loras[at].scale))
    for (shape, scale), group in places:
        members = list(group)
        whole = (len(members), *shape)
        at = members[0]
        gradients = tuple(_together(_gradient(masters[at][hands + hand]), whole) for hand in range(hands))
        runs.append(Run(first_out, first_hidden, scale, _together(loras[at].up, whole), gradients))
        first_out += len(members) * shape[0]
        first_hidden += len(members) * shape[1]
    down = (ranks, loras[0].down.shape[1])
    return JoinedLora(
        joined=joined,
        down=_together(loras[0].down, down),
        down_gradients=tuple(_together(_gradient(masters[0][hand]), down) for hand in range(hands)),
        runs=tuple(runs),
        sizes=joined.sizes,
    )


def _together(first: Tensor, shape: tuple[int, ...]) -> Tensor:
    """A tensor that begins where `first` does."""
    strides, size = [], 1
    for side in reversed(shape):
        strides.append(size)
        size *= side
    return first.detach().as_strided(shape, strides[::-1], first.storage_offset())


def _strided(rows: Tensor, shape: tuple[int, int, int], first: int) -> Tensor:
    # rows (n, width) from column `first` on as shape[0] blocks of shape[2] columns
    return rows.as_strided(shape, (shape[2], rows.shape[1], 1), rows.storage_offset() + first)


def _gradient(master: Tensor) -> Tensor:
    assert master.grad is not None
    return master.grad
