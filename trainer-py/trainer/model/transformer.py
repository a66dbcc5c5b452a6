"""The UNet's attention blocks over rows of pixels, under the original layout's names."""

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor, nn

from trainer.model.activation import GATED_GELU, linear_after
from trainer.model.joined_linear import JoinedLinear
from trainer.model.named_layers import NamedLayers, NumberedLayers
from trainer.model.recompute import Run, plainly


class SpatialTransformer(nn.Module):
    """Attention blocks between two projections, added to x (n, channels, h, w).

    The keys and values of the context come ready made, two tensors a block, from `context_layers`.
    """

    def __init__(self, channels: int, *, heads: int, depth: int, context_width: int, linear: bool) -> None:
        super().__init__()
        self.linear = linear
        self.norm = nn.GroupNorm(32, channels, eps=1e-6)
        self.proj_in = nn.Linear(channels, channels) if linear else nn.Conv2d(channels, channels, 1)
        self.transformer_blocks = NumberedLayers(
            TransformerBlock(channels, heads=heads, context_width=context_width) for _ in range(depth)
        )
        self.proj_out = nn.Linear(channels, channels) if linear else nn.Conv2d(channels, channels, 1)

    def context_layers(self) -> Iterator[nn.Linear]:
        for block in self.transformer_blocks:
            yield from (block.attn2.to_k, block.attn2.to_v)

    def forward(self, x: Tensor, context: Iterator[Tensor], run: Run = plainly) -> Tensor:
        """`run` calls the attention blocks."""
        n, channels, height, width = x.shape
        h = F.group_norm(x, self.norm.num_groups, self.norm.weight, self.norm.bias, self.norm.eps)
        if self.linear:
            h = self.proj_in(h.permute(0, 2, 3, 1).reshape(n, height * width, channels))
        else:
            h = self.proj_in(h).permute(0, 2, 3, 1).reshape(n, height * width, channels)
        for block in self.transformer_blocks:
            h = run(block, h, next(context), next(context))
        if self.linear:
            return self.proj_out(h).view(n, height, width, channels).permute(0, 3, 1, 2) + x
        return self.proj_out(h.view(n, height, width, channels).permute(0, 3, 1, 2)) + x


class TransformerBlock(nn.Module):
    """Self-attention, attention to the context and a gated feed-forward on rows x (n, pixels, width)."""

    def __init__(self, width: int, *, heads: int, context_width: int) -> None:
        super().__init__()
        self.attn1 = Attention(width, heads=heads, context_width=width)
        self.ff = FeedForward(width)
        self.attn2 = Attention(width, heads=heads, context_width=context_width)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.own = JoinedLinear((self.attn1.to_q, self.attn1.to_k, self.attn1.to_v))

    def forward(self, x: Tensor, key: Tensor, value: Tensor) -> Tensor:
        x = self.attn1(*self.own(self.norm1(x))) + x
        x = self.attn2(self.attn2.to_q(self.norm2(x)), key, value) + x
        return self.ff(self.norm3(x)) + x


class Attention(nn.Module):
    """From projected queries (n, pixels, width), keys and values (n, m, width) to (n, pixels, width)."""

    def __init__(self, width: int, *, heads: int, context_width: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context_width, width, bias=False)
        self.to_v = nn.Linear(context_width, width, bias=False)
        self.to_out = nn.Sequential(nn.Linear(width, width))

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        split = (self.heads, -1)
        y = F.scaled_dot_product_attention(
            query.unflatten(-1, split).transpose(1, 2),
            key.unflatten(-1, split).transpose(1, 2),
            value.unflatten(-1, split).transpose(1, 2),
        )
        return self.to_out[0](y.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """Four times as wide inside, half of it a gate."""

    def __init__(self, width: int) -> None:
        super().__init__()
        gate = NamedLayers({"proj": nn.Linear(width, 8 * width)})
        self.net = NamedLayers({"0": gate, "2": nn.Linear(4 * width, width)})

    def forward(self, x: Tensor) -> Tensor:
        return linear_after(self.net["2"], GATED_GELU, self.net["0"]["proj"](x))
