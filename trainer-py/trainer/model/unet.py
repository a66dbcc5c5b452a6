"""The UNet of Stable Diffusion 1, 2 and XL: few calls, little kept for the backward pass, original names."""

import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.model.frozen_ops import FrozenConv, norm_silu
from trainer.model.joined_linear import JoinedLinear
from trainer.model.model_config import UnetConfig
from trainer.model.named_layers import NamedLayers, NumberedLayers
from trainer.model.recompute import Run, plainly, recomputed
from trainer.model.transformer import SpatialTransformer, TransformerBlock


class Unet(nn.Module):
    """Predicts what `prediction` of its model says (n, 4, h, w) from noisy latents of the same shape.

    Its weights are frozen; a LoRA takes the place of single layers' `forward`. recomputes: nothing but the blocks'
    inputs is kept for the backward pass.
    """

    def __init__(self, config: UnetConfig) -> None:
        super().__init__()
        self.config = config
        self.recomputes = False
        channels = config.model_channels
        self.time_embed = _embedding(channels, 4 * channels)
        if config.vector_width is not None:
            self.label_emb = NamedLayers({"0": _embedding(config.vector_width, 4 * channels)})
        self.input_blocks, skips = _input_blocks(config)
        self.middle_block = _middle_block(config)
        self.output_blocks = _output_blocks(config, skips)
        self.out = NamedLayers(
            {"0": nn.GroupNorm(32, channels), "2": FrozenConv(channels, config.out_channels, 3, padding=1)}
        )
        residuals = [module for module in self.modules() if isinstance(module, ResidualBlock)]
        self._time = JoinedLinear([block.emb_layers["1"] for block in residuals])
        transformers = [module for module in self.modules() if isinstance(module, SpatialTransformer)]
        self._context = JoinedLinear([layer for each in transformers for layer in each.context_layers()])

    @property
    def dtype(self) -> torch.dtype:
        return self.out["0"].weight.dtype

    def joined(self) -> Iterator[JoinedLinear]:
        """Layers whose weights belong in one storage."""
        yield self._time
        yield self._context
        yield from (module.own for module in self.modules() if isinstance(module, TransformerBlock))

    def forward(self, latents: Tensor, timesteps: Tensor, context: Tensor, vector: Tensor | None = None) -> Tensor:
        """latents (n, 4, h, w), timesteps (n,) of 0 to 999 that need not be whole, context (n, tokens, width).

        vector: (n, vector_width), for the models that have one.
        """
        embedding = self.time_embed["2"](F.silu(self.time_embed["0"](self._waves(timesteps))))
        if vector is not None:
            label = self.label_emb["0"]
            embedding = embedding + label["2"](F.silu(label["0"](vector)))
        times = iter(self._time(F.silu(embedding)))
        contexts = iter(self._context(context))
        h, kept = latents, []
        for block in self.input_blocks:
            h = self._pass(block, [h], times, contexts)
            kept.append(h)
        h = self._pass(self.middle_block, [h], times, contexts)
        for block in self.output_blocks:
            parts = [h, kept.pop()]
            h = self._pass(block, parts, times, contexts, kept[-1].shape[2:] if kept else None)
        return self.out["2"](norm_silu(h, self.out["0"]))

    def _pass(
        self,
        block: NumberedLayers,
        parts: list[Tensor],
        times: Iterator[Tensor],
        contexts: Iterator[Tensor],
        size: torch.Size | None = None,
    ) -> Tensor:
        """What `block` makes of its inputs side by side; what it takes from `times` and `contexts` is gone there."""
        own_times, own_contexts = _block_inputs(block, times, contexts)
        if not self.recomputes:
            return _run(block, parts, own_times, own_contexts, size, plainly)
        if any(len(layer.transformer_blocks) > _FEW for layer in block if isinstance(layer, SpatialTransformer)):
            # Made again as a whole, a deep block would need its memory at once after all.
            return _run(block, parts, own_times, own_contexts, size, recomputed)
        ends = len(parts), len(parts) + len(own_times)

        def work(*inputs: Tensor) -> Tensor:
            times, contexts = inputs[ends[0] : ends[1]], inputs[ends[1] :]
            return _run(block, inputs[: ends[0]], times, contexts, size, plainly)

        return recomputed(work, *parts, *own_times, *own_contexts)

    def _waves(self, timesteps: Tensor) -> Tensor:
        # (n, model_channels)
        half = self.config.model_channels // 2
        rates = torch.exp(torch.arange(half, device=timesteps.device) * (-math.log(10000) / half))
        angles = timesteps.float()[:, None] * rates
        return torch.cat([angles.cos(), angles.sin()], dim=-1).to(self.dtype)


class ResidualBlock(nn.Module):
    """Two convolutions around x (n, c, h, w), with the projected time (n, out) added between them."""

    def __init__(self, channels: int, out: int, time_width: int) -> None:
        super().__init__()
        self.in_layers = NamedLayers({"0": nn.GroupNorm(32, channels), "2": FrozenConv(channels, out, 3, padding=1)})
        self.emb_layers = NamedLayers({"1": nn.Linear(time_width, out)})
        self.out_layers = NamedLayers({"0": nn.GroupNorm(32, out), "3": FrozenConv(out, out, 3, padding=1)})
        self.skip_connection = nn.Identity() if channels == out else FrozenConv(channels, out, 1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.in_layers["2"](norm_silu(x, self.in_layers["0"])) + time[:, :, None, None]
        h = self.out_layers["3"](norm_silu(h, self.out_layers["0"]))
        return h + self.skip_connection(x)


class Downsample(nn.Module):
    """Half of h and w, rounded up."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.op = FrozenConv(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.op(x)


class Upsample(nn.Module):
    """To the size of the level above, which is twice as large or one less."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = FrozenConv(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, size: torch.Size) -> Tensor:
        return self.conv(F.interpolate(x, size=size))


_FEW = 2
"""Attention blocks behind each other up to which a block is made again as a whole."""


def _block_inputs(
    block: NumberedLayers, times: Iterator[Tensor], contexts: Iterator[Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    residuals = sum(isinstance(layer, ResidualBlock) for layer in block)
    depth = sum(len(layer.transformer_blocks) for layer in block if isinstance(layer, SpatialTransformer))
    return [next(times) for _ in range(residuals)], [next(contexts) for _ in range(2 * depth)]


def _run(  # noqa: PLR0913
    block: NumberedLayers,
    parts: Sequence[Tensor],
    times: Sequence[Tensor],
    contexts: Sequence[Tensor],
    size: torch.Size | None,
    run: Run,
) -> Tensor:
    h = parts[0] if len(parts) == 1 else torch.cat([*parts], dim=1)
    time, context = iter(times), iter(contexts)
    for layer in block:
        if isinstance(layer, ResidualBlock):
            h = run(layer, h, next(time))
        elif isinstance(layer, SpatialTransformer):
            h = layer(h, context, run)
        elif isinstance(layer, Upsample):
            h = layer(h, size)
        else:
            h = layer(h)
    return h


def _embedding(inside: int, width: int) -> NamedLayers:
    return NamedLayers({"0": nn.Linear(inside, width), "2": nn.Linear(width, width)})


def _input_blocks(config: UnetConfig) -> tuple[NumberedLayers, list[int]]:
    """The way down, and the channels that it hands across."""
    channels = config.model_channels
    blocks = [NumberedLayers([FrozenConv(config.in_channels, channels, 3, padding=1)])]
    skips = [channels]
    for level, factor in enumerate(config.channel_mult):
        for _ in range(config.res_blocks):
            blocks.append(_residual(config, channels, factor * config.model_channels, config.depths[level]))
            channels = factor * config.model_channels
            skips.append(channels)
        if level < len(config.channel_mult) - 1:
            blocks.append(NumberedLayers([Downsample(channels)]))
            skips.append(channels)
    return NumberedLayers(blocks), skips


def _middle_block(config: UnetConfig) -> NumberedLayers:
    channels = config.channel_mult[-1] * config.model_channels
    first = _residual(config, channels, channels, config.middle_depth)
    return NumberedLayers([*first, *_residual(config, channels, channels, 0)])


def _output_blocks(config: UnetConfig, skips: list[int]) -> NumberedLayers:
    channels = config.channel_mult[-1] * config.model_channels
    blocks = []
    for level, factor in reversed(list(enumerate(config.channel_mult))):
        for index in range(config.res_blocks + 1):
            block = _residual(config, channels + skips.pop(), factor * config.model_channels, config.depths[level])
            channels = factor * config.model_channels
            if level > 0 and index == config.res_blocks:
                block.append(Upsample(channels))
            blocks.append(block)
    return NumberedLayers(blocks)


def _residual(config: UnetConfig, channels: int, out: int, depth: int) -> NumberedLayers:
    block = NumberedLayers([ResidualBlock(channels, out, 4 * config.model_channels)])
    if depth:
        block.append(
            SpatialTransformer(
                out,
                heads=config.head_count(out),
                depth=depth,
                context_width=config.context_width,
                linear=config.linear_projections,
            )
        )
    return block
