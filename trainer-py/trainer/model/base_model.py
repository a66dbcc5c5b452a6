"""A Stable Diffusion model as the modules that are trained and drawn with."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from trainer.model.checkpoint_file import Checkpoint, RenamedCheckpoint, open_checkpoint
from trainer.model.clip_text import ClipText
from trainer.model.diffusers_folder import open_folder, rename_vae
from trainer.model.ldm_keys import VAE_PREFIX
from trainer.model.load_weights import WeightLoader
from trainer.model.model_config import ModelConfig
from trainer.model.model_hints import ModelHints, sidecar_hints
from trainer.model.model_kind import misfit, read_model_config
from trainer.model.noise_schedule import noise_schedule
from trainer.model.unet import Unet
from trainer.model.vae import Vae

ALL_PARTS = frozenset({"unet", "text_encoder", "vae_encoder", "vae_decoder"})


@dataclass(frozen=True)
class BaseModel:
    """The frozen modules; a part that was not asked for stays on the meta device and takes no memory.

    unet and text_encoders have `dtype`, vae is always float32; alphas_cumprod is float64 (1000,) on the CPU.
    """

    unet: Unet
    text_encoders: tuple[ClipText, ...]
    vae: Vae
    config: ModelConfig
    name: str
    path: Path
    alphas_cumprod: Tensor
    device: torch.device
    dtype: torch.dtype

    @property
    def prediction(self) -> str:
        """What the UNet predicts: "epsilon" or "v"."""
        return self.config.prediction

    @property
    def resolution(self) -> int:
        return self.config.resolution

    @property
    def scale_factor(self) -> float:
        return self.config.scale_factor


def load_base_model(  # noqa: PLR0913
    path: Path,
    *,
    device: torch.device,
    dtype: torch.dtype,
    parts: frozenset[str] = ALL_PARTS,
    clip_skip: int = 1,
    vae_path: Path | None = None,
    prediction: str | None = None,
    packing: str | None = None,
) -> BaseModel:
    """Read a single file or a folder in diffusers' layout without touching the network.

    clip_skip: the smallest that will be asked for; text layers beyond it are not loaded. vae_path: an autoencoder that
    takes the place of the model's own. prediction: "epsilon" or "v" instead of what the files say.
    packing: "fp8" or "int8" for the weights of the UNet's blocks.
    Raises Failure `base_model_missing`, `base_model_corrupt`, `base_model_unsafe` or `base_model_unsupported`.
    """
    path = Path(path)
    checkpoint, hints = _open(path, vae_path)
    config = read_model_config(checkpoint, path, hints, prediction=prediction)
    unet, text_encoders, vae = _empty_modules(config, clip_skip)
    loader = WeightLoader(checkpoint, path, device)
    if "unet" in parts:
        loader.unet(unet, dtype, packing)
    if "text_encoder" in parts:
        for text_encoder in text_encoders:
            loader.text_encoder(text_encoder, dtype)
    loader.vae(vae, lambda name: _vae_part(name) in parts)
    return BaseModel(
        unet=unet,
        text_encoders=text_encoders,
        vae=vae,
        config=config,
        name=path.name if path.is_dir() else path.stem,
        path=path,
        alphas_cumprod=noise_schedule(zero_terminal_snr=config.zero_terminal_snr),
        device=device,
        dtype=dtype,
    )


def _open(path: Path, vae_path: Path | None) -> tuple[Checkpoint, ModelHints]:
    checkpoint, hints = open_folder(path) if path.is_dir() else (open_checkpoint(path), sidecar_hints(path))
    if vae_path is None:
        return checkpoint, hints
    places = {key: (checkpoint, key) for key in checkpoint.keys() if not key.startswith(VAE_PREFIX)}  # noqa: SIM118
    return RenamedCheckpoint({**places, **_vae_places(Path(vae_path))}, checkpoint.metadata), hints


def _vae_places(path: Path) -> dict[str, tuple[Checkpoint, str]]:
    checkpoint = open_checkpoint(path)
    keys = checkpoint.keys()
    if any(key.startswith("encoder.down_blocks.") for key in keys):
        return rename_vae([checkpoint])
    if any(key.startswith(VAE_PREFIX) for key in keys):
        return {key: (checkpoint, key) for key in keys if key.startswith(VAE_PREFIX)}
    if not any(key.startswith("encoder.") for key in keys):
        raise misfit(path.name, "it holds no autoencoder")
    return {VAE_PREFIX + key: (checkpoint, key) for key in keys}


def _empty_modules(config: ModelConfig, clip_skip: int) -> tuple[Unet, tuple[ClipText, ...], Vae]:
    with torch.device("meta"):
        unet = Unet(config.unet)
        text_encoders = tuple(ClipText(text, skipped=clip_skip - 1) for text in config.text_encoders)
        vae = Vae(config.vae)
    for module in (unet, *text_encoders, vae):
        module.requires_grad_(False).eval()
    return unet, text_encoders, vae


def _vae_part(name: str) -> str:
    return "vae_encoder" if name.startswith(("encoder.", "quant_conv.")) else "vae_decoder"
