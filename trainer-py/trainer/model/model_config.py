"""The shapes of a Stable Diffusion model and of its parts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class UnetConfig:
    """A UNet of the original layout, in latents (4, h, w).

    depths: transformer blocks of each residual block per level, 0 where there is no attention; heads: their number, or
    None where each is `head_width` wide; linear_projections: as in Stable Diffusion 2 and XL, else 1×1 convolutions;
    vector_width: width of XL's second condition, None without one.
    """

    model_channels: int
    channel_mult: tuple[int, ...]
    res_blocks: int
    depths: tuple[int, ...]
    middle_depth: int
    context_width: int
    heads: int | None = 8
    head_width: int = 64
    linear_projections: bool = False
    vector_width: int | None = None
    in_channels: int = 4
    out_channels: int = 4

    def head_count(self, channels: int) -> int:
        """Heads of an attention over `channels`."""
        return self.heads or channels // self.head_width


@dataclass(frozen=True)
class TextEncoderConfig:
    """A CLIP text model.

    prefixes: where its weights may lie in a checkpoint, the first one that is there counts; fused: OpenCLIP's names
    and joined attention weights; projection: width of the pooled output, None when it has none; pad: token that
    follows the end; final_norm: whether the context goes through the last layer norm; layers: of those that are used
    at clip skip 1, which in Stable Diffusion 2 is one less than OpenCLIP has.
    """

    width: int
    layers: int
    heads: int
    inner: int
    vocabulary: int = 49408
    positions: int = 77
    quick_gelu: bool = True
    fused: bool = False
    projection: int | None = None
    pad: int = 49407
    final_norm: bool = True
    prefixes: tuple[str, ...] = ()


@dataclass(frozen=True)
class VaeConfig:
    """An autoencoder of the original layout, without attention besides its middle."""

    channels: int
    channel_mult: tuple[int, ...]
    res_blocks: int
    latent_channels: int = 4


@dataclass(frozen=True)
class ModelConfig:
    """A whole model.

    kind: "sd1", "sd2" or "sdxl"; prediction: "epsilon" or "v"; resolution: side in pixels of the square it was made
    for; scale_factor: of its latents.
    """

    kind: str
    prediction: str
    zero_terminal_snr: bool
    resolution: int
    scale_factor: float
    unet: UnetConfig
    text_encoders: tuple[TextEncoderConfig, ...]
    vae: VaeConfig
