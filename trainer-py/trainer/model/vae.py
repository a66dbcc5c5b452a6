"""The autoencoder between pictures and latents, under the checkpoints' own names; it is never trained through."""

import torch.nn.functional as F
from torch import Tensor, nn

from trainer.model.frozen_ops import norm_silu
from trainer.model.model_config import VaeConfig
from trainer.model.named_layers import NamedLayers, NumberedLayers


class Vae(nn.Module):
    """Either half may stay on the meta device when only the other is used."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        widths = [config.channels * factor for factor in config.channel_mult]
        latent = config.latent_channels
        self.encoder = _Encoder(widths, config.res_blocks, 2 * latent)
        self.decoder = _Decoder(widths, config.res_blocks, latent)
        self.quant_conv = nn.Conv2d(2 * latent, 2 * latent, 1)
        self.post_quant_conv = nn.Conv2d(latent, latent, 1)

    def encode(self, pictures: Tensor) -> Tensor:
        """Mean (n, 4, h/8, w/8) of the latents' distribution, unscaled, of pictures (n, 3, h, w) in −1 to 1."""
        return self.quant_conv(self.encoder(pictures)).chunk(2, dim=1)[0]

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures (n, 3, 8h, 8w), about −1 to 1, of unscaled latents (n, 4, h, w)."""
        return self.decoder(self.post_quant_conv(latents))


class _Encoder(nn.Module):
    def __init__(self, widths: list[int], res_blocks: int, out: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, widths[0], 3, padding=1)
        levels = []
        channels = widths[0]
        for index, width in enumerate(widths):
            level = NamedLayers({"block": _blocks(channels, width, res_blocks)})
            channels = width if res_blocks else channels
            if index < len(widths) - 1:
                level["downsample"] = NamedLayers({"conv": nn.Conv2d(channels, channels, 3, stride=2)})
            levels.append(level)
        self.down = NumberedLayers(levels)
        self.mid = _middle(channels)
        self.norm_out = nn.GroupNorm(32, channels, eps=1e-6)
        self.conv_out = nn.Conv2d(channels, out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_in(x)
        for level in self.down:
            for block in level["block"]:
                x = block(x)
            if "downsample" in level:
                x = level["downsample"]["conv"](F.pad(x, (0, 1, 0, 1)))
        for layer in self.mid.values():
            x = layer(x)
        return self.conv_out(norm_silu(x, self.norm_out))


class _Decoder(nn.Module):
    def __init__(self, widths: list[int], res_blocks: int, latent: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(latent, widths[-1], 3, padding=1)
        self.mid = _middle(widths[-1])
        channels, levels = widths[-1], []
        for index, width in reversed(list(enumerate(widths))):
            level = NamedLayers({"block": _blocks(channels, width, res_blocks + 1)})
            channels = width
            if index > 0:
                level["upsample"] = NamedLayers({"conv": nn.Conv2d(width, width, 3, padding=1)})
            levels.append(level)
        # Counted from the largest resolution, although the smallest one comes first.
        self.up = NumberedLayers(reversed(levels))
        self.norm_out = nn.GroupNorm(32, channels, eps=1e-6)
        self.conv_out = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_in(x)
        for layer in self.mid.values():
            x = layer(x)
        for level in reversed(list(self.up)):
            for block in level["block"]:
                x = block(x)
            if "upsample" in level:
                x = level["upsample"]["conv"](F.interpolate(x, scale_factor=2.0))
        return self.conv_out(norm_silu(x, self.norm_out))


class _ResidualBlock(nn.Module):
    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(32, channels, eps=1e-6)
        self.conv1 = nn.Conv2d(channels, out, 3, padding=1)
        self.norm2 = nn.GroupNorm(32, out, eps=1e-6)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        if channels != out:
            self.nin_shortcut = nn.Conv2d(channels, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv2(norm_silu(self.conv1(norm_silu(x, self.norm1)), self.norm2))
        return h + (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x)


class _Attention(nn.Module):
    """One head over all pixels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(32, channels, eps=1e-6)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        query, key, value = (layer(h).flatten(2).transpose(1, 2)[:, None] for layer in (self.q, self.k, self.v))
        y = F.scaled_dot_product_attention(query, key, value)[:, 0]
        return self.proj_out(y.transpose(1, 2).reshape(x.shape)) + x


def _blocks(channels: int, width: int, count: int) -> NumberedLayers:
    return NumberedLayers(_ResidualBlock(channels if index == 0 else width, width) for index in range(count))


def _middle(channels: int) -> NamedLayers:
    blocks = {"block_1": _ResidualBlock(channels, channels), "block_2": _ResidualBlock(channels, channels)}
    return NamedLayers({"block_1": blocks["block_1"], "attn_1": _Attention(channels), "block_2": blocks["block_2"]})
