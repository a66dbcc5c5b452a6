"""What kind of model a checkpoint is, from the names and shapes of its tensors."""

from pathlib import Path

from trainer.failure import Failure
from trainer.model.checkpoint_file import Checkpoint
from trainer.model.ldm_keys import TEXT_PREFIXES, UNET_PREFIX, VAE_PREFIX
from trainer.model.model_config import ModelConfig, TextEncoderConfig, UnetConfig, VaeConfig
from trainer.model.model_hints import ModelHints

XL_TEXT = ("conditioner.embedders.0.", "conditioner.embedders.1.")
_V2_TEXT = "cond_stage_model.model."
_V_KEY, _ZERO_SNR_KEY = "v_pred", "ztsnr"


def read_model_config(
    checkpoint: Checkpoint, path: Path, hints: ModelHints, *, prediction: str | None = None
) -> ModelConfig:
    """Configuration of a checkpoint in the original layout.

    prediction: the user's word, which counts before everything else. Then count the files beside it, a `v_pred` key,
    the file's own metadata and, for Stable Diffusion 2, `_looks_like_v`. Raises Failure `base_model_unsupported`.
    """
    keys = checkpoint.keys()
    _check_kind(checkpoint, keys, path)
    shapes = _Shapes(checkpoint, keys, path)
    unet = _unet(shapes, hints)
    kind = "sdxl" if unet.vector_width else "sd2" if unet.linear_projections else "sd1"
    found = prediction or hints.prediction or _spoken_prediction(checkpoint, keys)
    if found is None:
        found = "v" if kind == "sd2" and _looks_like_v(checkpoint, keys) else "epsilon"
    ordinary = {"sd1": 512, "sd2": 768 if found == "v" else 512, "sdxl": 1024}[kind]
    # The files of Stable Diffusion 2 name the same size of latents for both of its resolutions.
    resolution = ordinary if unet.model_channels == 320 else hints.resolution or ordinary
    zero_snr = _ZERO_SNR_KEY in keys if hints.zero_terminal_snr is None else hints.zero_terminal_snr
    return ModelConfig(
        kind=kind,
        prediction=found,
        zero_terminal_snr=zero_snr and found == "v",
        resolution=resolution,
        scale_factor=hints.scale_factor or (0.13025 if kind == "sdxl" else 0.18215),
        unet=unet,
        text_encoders=_text_encoders(shapes, kind, hints),
        vae=_vae(shapes),
    )


class _Shapes:
    """Shapes by name, and failures that name the file."""

    def __init__(self, checkpoint: Checkpoint, keys: list[str], path: Path) -> None:
        self._checkpoint = checkpoint
        self.names = frozenset(keys)
        self.file = path.name

    def __call__(self, key: str) -> tuple[int, ...]:
        if key not in self.names:
            raise self.misfit(f"it lacks {key}")
        return self._checkpoint.shape(key)

    def count(self, pattern: str) -> int:
        """How many of `pattern`, with 0, 1, 2 … in place of its {}, begin a name."""
        count = 0
        while any(name.startswith(pattern.format(count)) for name in self.names):
            count += 1
        return count

    def misfit(self, what: str) -> Failure:
        return misfit(self.file, what)


def misfit(file: str, what: str) -> Failure:
    """A model whose tensors are not those of its family."""
    return Failure(
        "base_model_unsupported",
        f"{file} does not have the shape of a Stable Diffusion 1, 2 or XL model ({what}); "
        "choose another model, or put the .yaml that belongs to it beside it.",
    )


def _unet(shapes: _Shapes, hints: ModelHints) -> UnetConfig:
    blocks = f"{UNET_PREFIX}input_blocks."
    count = shapes.count(blocks + "{}.")
    channels = shapes(f"{blocks}0.0.weight")[0]
    levels: list[list[int]] = [[]]  # per level the depth of each residual block
    factors = [1]
    for index in range(1, count):
        if f"{blocks}{index}.0.op.weight" in shapes.names:
            levels.append([])
            factors.append(factors[-1])
            continue
        levels[-1].append(shapes.count(f"{blocks}{index}.1.transformer_blocks.{{}}."))
        factors[-1] = shapes(f"{blocks}{index}.0.out_layers.3.weight")[0] // channels
    if any(len(set(depths)) != 1 for depths in levels) or len({len(depths) for depths in levels}) != 1:
        raise shapes.misfit("its levels are not alike")
    attention = f"{UNET_PREFIX}middle_block.1."
    projection = shapes(f"{attention}proj_in.weight")
    label = f"{UNET_PREFIX}label_emb.0.0.weight"
    heads, head_width = hints.heads, hints.head_width
    if heads is None and head_width is None and len(projection) == 4:
        heads = 8
    return UnetConfig(
        model_channels=channels,
        channel_mult=tuple(factors),
        res_blocks=len(levels[0]),
        depths=tuple(depths[0] for depths in levels),
        middle_depth=shapes.count(f"{attention}transformer_blocks.{{}}."),
        context_width=shapes(f"{attention}transformer_blocks.0.attn2.to_k.weight")[1],
        heads=heads,
        head_width=head_width or 64,
        linear_projections=len(projection) == 2,
        vector_width=shapes(label)[1] if label in shapes.names else None,
    )


def _text_encoders(shapes: _Shapes, kind: str, hints: ModelHints) -> tuple[TextEncoderConfig, ...]:
    if kind != "sdxl":
        return (_text_encoder(shapes, kind, "cond_stage_model.", hints.text_heads, quick_gelu=kind == "sd1"),)
    first = _text_encoder(shapes, kind, XL_TEXT[0], hints.text_heads[:1], quick_gelu=True)
    return first, _text_encoder(shapes, kind, XL_TEXT[1], hints.text_heads[1:2], quick_gelu=False)


def _text_encoder(
    shapes: _Shapes, kind: str, part: str, heads: tuple[int, ...], *, quick_gelu: bool
) -> TextEncoderConfig:
    fused = any(name.startswith(f"{part}model.") for name in shapes.names)
    if fused:
        prefixes: tuple[str, ...] = (f"{part}model.",)
        tokens, places = f"{prefixes[0]}token_embedding.weight", f"{prefixes[0]}positional_embedding"
        layers, inner = "transformer.resblocks.", "mlp.c_fc.weight"
        projected = f"{prefixes[0]}text_projection"
    else:
        prefixes = (f"{part}transformer.text_model.", f"{part}transformer.")
        prefixes = tuple(one for one in prefixes if f"{one}embeddings.token_embedding.weight" in shapes.names)[:1]
        prefixes = prefixes or (f"{part}transformer.text_model.",)
        embeddings = f"{prefixes[0]}embeddings."
        tokens, places = f"{embeddings}token_embedding.weight", f"{embeddings}position_embedding.weight"
        layers, inner = "encoder.layers.", "mlp.fc1.weight"
        projected = f"{part}transformer.text_projection.weight"
    vocabulary, width = shapes(tokens)
    if not heads and width % 64:
        raise shapes.misfit(f"the heads of a text encoder {width} wide are not known")
    count = shapes.count(prefixes[0] + layers + "{}.")
    pooled = kind == "sdxl" and part == XL_TEXT[1]
    return TextEncoderConfig(
        width=width,
        # Stable Diffusion 2 was trained without OpenCLIP's last layer.
        layers=count - 1 if kind == "sd2" and fused else count,
        heads=heads[0] if heads else width // 64,
        inner=shapes(f"{prefixes[0]}{layers}0.{inner}")[0],
        vocabulary=vocabulary,
        positions=shapes(places)[0],
        quick_gelu=quick_gelu,
        fused=fused,
        projection=shapes(projected)[1 if fused else 0] if pooled else None,
        pad=49407 if quick_gelu else 0,
        final_norm=kind != "sdxl",
        prefixes=prefixes,
    )


def _vae(shapes: _Shapes) -> VaeConfig:
    decoder = f"{VAE_PREFIX}decoder."
    channels = shapes(f"{VAE_PREFIX}encoder.conv_in.weight")[0]
    levels = shapes.count(decoder + "up.{}.")
    widths = [shapes(f"{decoder}up.{level}.block.0.conv2.weight")[0] for level in range(levels)]
    return VaeConfig(
        channels=channels,
        channel_mult=tuple(width // channels for width in widths),
        res_blocks=shapes.count(decoder + "up.0.block.{}.") - 1,
        latent_channels=shapes(f"{VAE_PREFIX}post_quant_conv.weight")[0],
    )


def _spoken_prediction(checkpoint: Checkpoint, keys: list[str]) -> str | None:
    if _V_KEY in keys:
        return "v"
    spoken = checkpoint.metadata.get("modelspec.prediction_type", "").lower()
    if spoken:
        return "v" if spoken.startswith("v") else "epsilon"
    architecture = checkpoint.metadata.get("modelspec.architecture", "").lower()
    if "768-v" in architecture:
        return "v"
    return "epsilon" if "v2-512" in architecture else None


def _looks_like_v(checkpoint: Checkpoint, keys: list[str]) -> bool:
    """No name tells the two kinds of Stable Diffusion 2 apart; ComfyUI's rule goes by how far one bias is spread."""
    key = f"{UNET_PREFIX}output_blocks.11.1.transformer_blocks.0.norm1.bias"
    return key in keys and float(checkpoint.tensor(key).float().std(unbiased=False)) > 0.09


def _check_kind(checkpoint: Checkpoint, keys: list[str], path: Path) -> None:
    found = _foreign_kind(checkpoint, keys)
    if found:
        raise Failure(
            "base_model_unsupported",
            f"Expected a checkpoint of Stable Diffusion 1, 2 or XL, but {path.name} is {found}; choose another model.",
        )


def _foreign_kind(checkpoint: Checkpoint, keys: list[str]) -> str | None:
    for mark, kind in _MARKS:
        if any(key.startswith(mark) for key in keys):
            return kind
    text = (TEXT_PREFIXES[-1], _V2_TEXT, XL_TEXT[0])
    for prefixes, part in (((UNET_PREFIX,), "UNet"), ((VAE_PREFIX,), "autoencoder (VAE)"), (text, "text encoder")):
        if not any(key.startswith(prefixes) for key in keys):
            return f"not complete: it holds no {part} of that family"
    first = f"{UNET_PREFIX}input_blocks.0.0.weight"
    channels = checkpoint.shape(first)[1] if first in keys else 4
    if channels != 4:
        return f"an inpainting or editing model with {channels} input channels"
    return None


_MARKS = (
    ("conditioner.embedders.0.model.", "Stable Diffusion XL's refiner"),
    ("edm_mean", "a Playground 2.5 model"),
    ("edm_vpred.", "a CosXL model"),
    (f"{UNET_PREFIX}joint_blocks.", "a Stable Diffusion 3 model"),
    (f"{UNET_PREFIX}double_blocks.", "a Flux model"),
    ("double_blocks.", "a Flux model"),
    ("lora_unet_", "a LoRA"),
    ("lora_te", "a LoRA"),
    ("control_model.", "a ControlNet"),
    ("down_blocks.", "the UNet alone of a model in diffusers' folder layout"),
    ("text_model.", "a text encoder alone"),
)
