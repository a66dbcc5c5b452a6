"""A single-file Stable Diffusion 1.x checkpoint as the modules that are trained and drawn with."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from trainer.checkpoint_file import Checkpoint, check_kind, open_checkpoint
from trainer.failure import Failure
from trainer.ldm_keys import text_encoder_keys, unet_key, vae_key
from trainer.sd1_config import Sd1Config, read_sd1_config

ALL_PARTS = frozenset({"unet", "text_encoder", "vae_encoder", "vae_decoder"})


@dataclass(frozen=True)
class BaseModel:
    """The frozen modules; a part that was not asked for stays on the meta device and takes no memory.

    unet and text_encoder have `dtype`, vae is always float32; alphas_cumprod is float64 (1000,) on the CPU.
    """

    unet: UNet2DConditionModel
    text_encoder: CLIPTextModel
    vae: AutoencoderKL
    tokenizer: CLIPTokenizer
    name: str
    path: Path
    resolution: int
    scale_factor: float
    alphas_cumprod: Tensor
    device: torch.device
    dtype: torch.dtype


def load_base_model(
    path: Path, *, device: torch.device, dtype: torch.dtype, parts: frozenset[str] = ALL_PARTS
) -> BaseModel:
    """Read a checkpoint without touching the network.

    Raises Failure `base_model_missing`, `base_model_corrupt`, `base_model_unsafe` or `base_model_unsupported`.
    """
    path = Path(path)
    checkpoint = open_checkpoint(path)
    check_kind(checkpoint, path)
    config = read_sd1_config(path)
    unet, text_encoder, vae = _empty_modules(config)
    load = _Loader(checkpoint, path, device)
    if "unet" in parts:
        load(unet, _unet_names(config), dtype)
        unet.to(memory_format=torch.channels_last)
    if "text_encoder" in parts:
        load(text_encoder, text_encoder_keys, dtype)
        _restore_positions(text_encoder, device)
    _load_vae(load, vae, parts)
    return BaseModel(
        unet=unet,
        text_encoder=text_encoder,
        vae=vae,
        tokenizer=_tokenizer(config.tokenizer_dir),
        name=path.stem,
        path=path,
        resolution=config.resolution,
        scale_factor=config.scale_factor,
        alphas_cumprod=noise_schedule(),
        device=device,
        dtype=dtype,
    )


def noise_schedule() -> Tensor:
    """Cumulative alphas (1000,), float64, of Stable Diffusion 1's scaled-linear betas .00085 to .012."""
    betas = torch.linspace(math.sqrt(0.00085), math.sqrt(0.012), 1000, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, dim=0)


def _empty_modules(config: Sd1Config) -> tuple[UNet2DConditionModel, CLIPTextModel, AutoencoderKL]:
    with torch.device("meta"):
        unet = UNet2DConditionModel(**config.unet)
        text_encoder = CLIPTextModel(CLIPTextConfig(**config.text_encoder))
        vae = AutoencoderKL(**config.vae)
    for module in (unet, text_encoder, vae):
        module.requires_grad_(False).eval()
    return unet, text_encoder, vae


def _unet_names(config: Sd1Config) -> Callable[[str], tuple[str, ...]]:
    levels = frozenset(index for index, kind in enumerate(config.unet["up_block_types"]) if "Attn" in kind)
    return lambda name: (unet_key(name, layers=config.unet["layers_per_block"], attention_levels=levels),)


def _load_vae(load: "_Loader", vae: AutoencoderKL, parts: frozenset[str]) -> None:
    levels = len(vae.config.block_out_channels)

    def wanted(name: str) -> bool:
        encoder = name.startswith(("encoder.", "quant_conv."))
        return ("vae_encoder" if encoder else "vae_decoder") in parts

    load(vae, lambda name: (vae_key(name, levels=levels),), torch.float32, wanted)


def _restore_positions(text_encoder: CLIPTextModel, device: torch.device) -> None:
    # A buffer that is not in checkpoints, so it is still on the meta device.
    embeddings = text_encoder.embeddings
    count = text_encoder.config.max_position_embeddings
    embeddings.register_buffer("position_ids", torch.arange(count, device=device).unsqueeze(0), persistent=False)


def _tokenizer(folder: Path) -> CLIPTokenizer:
    try:
        return CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise Failure(
            "base_model_corrupt",
            f"Expected CLIP's vocab.json and merges.txt in {folder}, but they can't be read; restore them.",
        ) from error


class _Loader:
    """Copies tensors of one checkpoint into meta modules, each read once and straight into its final type."""

    def __init__(self, checkpoint: Checkpoint, path: Path, device: torch.device) -> None:
        self._checkpoint = checkpoint
        self._keys = frozenset(checkpoint.keys())
        self._path = path
        self._device = device

    def __call__(
        self,
        module: nn.Module,
        names: Callable[[str], Iterable[str]],
        dtype: torch.dtype,
        wanted: Callable[[str], bool] = lambda _: True,
    ) -> None:
        state = {
            name: self._tensor(tuple(names(name)), empty.shape).to(self._device, dtype)
            for name, empty in module.state_dict().items()
            if wanted(name)
        }
        module.load_state_dict(state, strict=False, assign=True)
        module.requires_grad_(False)

    def _tensor(self, keys: tuple[str, ...], shape: torch.Size) -> Tensor:
        key = next((key for key in keys if key in self._keys), None)
        if key is None:
            raise self._misfit(f"it lacks {keys[0]}")
        tensor = self._checkpoint.tensor(key)
        if tensor.ndim > len(shape) and tensor.numel() == shape.numel():
            tensor = tensor.reshape(shape)  # attention weights of the autoencoder are stored as 1×1 convolutions
        if tensor.shape != shape:
            raise self._misfit(f"{key} has the shape {tuple(tensor.shape)} instead of {tuple(shape)}")
        return tensor.contiguous()

    def _misfit(self, what: str) -> Failure:
        return Failure(
            "base_model_unsupported",
            f"{self._path.name} does not have the shape of a Stable Diffusion 1.x model ({what}); "
            "choose another model, or put the .yaml that belongs to it beside it.",
        )
