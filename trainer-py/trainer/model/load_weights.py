"""Fills modules that were made on the meta device from a checkpoint, each tensor read once and into its final type."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from trainer.model.checkpoint_file import Checkpoint
from trainer.model.clip_text import ClipText
from trainer.model.ldm_keys import UNET_PREFIX, VAE_PREFIX
from trainer.model.model_config import TextEncoderConfig
from trainer.model.model_kind import misfit
from trainer.model.packed_layers import PackedConv, PackedLinear, pack_layers
from trainer.model.unet import Unet
from trainer.model.vae import Vae
from trainer.side_by_side import side_by_side

_KERNEL_DIMENSIONS = 4
_READERS = 4


@dataclass(frozen=True)
class _Source:
    """Name in the checkpoint; `part` cuts the weight out of a joined one of three, `turned` transposes it."""

    key: str
    part: int | None = None
    turned: bool = False

    def take(self, tensor: Tensor) -> Tensor:
        if self.part is not None:
            tensor = tensor.chunk(3)[self.part]
        return tensor.T if self.turned else tensor


@dataclass(frozen=True)
class WeightLoader:
    """From one checkpoint onto one device. Raises Failure `base_model_unsupported` for what is missing or misshapen."""

    checkpoint: Checkpoint
    path: Path
    device: torch.device

    def unet(self, unet: Unet, dtype: torch.dtype, packing: str | None = None) -> None:
        """packing: "fp8" or "int8" for the layers of the blocks, see `pack_layers`."""
        if packing is None:
            self._join(unet, dtype)
        else:
            pack_layers(unet, packing, device=self.device, dtype=dtype)
            self._fill_packed(unet)
        self._fill(unet, lambda name: _Source(UNET_PREFIX + name), dtype, memory=torch.channels_last)

    def text_encoder(self, text_encoder: ClipText, dtype: torch.dtype) -> None:
        self._join(text_encoder, dtype)
        config = text_encoder.config
        find = _fused_source if config.fused else _text_source
        self._fill(text_encoder, lambda name: find(name, config), dtype)

    def vae(self, vae: Vae, wanted: Callable[[str], bool]) -> None:
        self._fill(vae, lambda name: _Source(VAE_PREFIX + name), torch.float32, wanted)

    def _join(self, module: Unet | ClipText, dtype: torch.dtype) -> None:
        for joined in module.joined():
            joined.place(self.device, dtype)

    def _fill(
        self,
        module: nn.Module,
        source: Callable[[str], _Source],
        dtype: torch.dtype,
        wanted: Callable[[str], bool] = lambda _: True,
        memory: torch.memory_format = torch.contiguous_format,
    ) -> None:
        """memory: how kernels (out, in, h, w) lie in memory."""
        keys = frozenset(self.checkpoint.keys())

        @torch.no_grad()
        def fill(name: str, parameter: Tensor) -> Tensor | None:
            tensor = self._tensor(source(name), parameter.shape, keys)
            if not parameter.is_meta:
                parameter.copy_(tensor)
                return None
            order = memory if tensor.ndim == _KERNEL_DIMENSIONS else torch.contiguous_format
            return tensor.to(self.device, dtype, memory_format=order)

        found = {name: parameter for name, parameter in module.named_parameters() if wanted(name)}
        # A disk, a copy and a conversion each wait for something else.
        with side_by_side(_READERS, "load") as pool:
            state = dict(zip(found, pool.map(fill, found, found.values()), strict=True))
        state = {name: tensor for name, tensor in state.items() if tensor is not None}
        module.load_state_dict(state, strict=False, assign=True)
        module.requires_grad_(False)

    def _fill_packed(self, unet: Unet) -> None:
        keys = frozenset(self.checkpoint.keys())
        for name, layer in unet.named_modules():
            if isinstance(layer, (PackedLinear, PackedConv)):
                source = _Source(f"{UNET_PREFIX}{name}.weight")
                layer.packed.fill(self._tensor(source, layer.packed.shape, keys))

    def _tensor(self, source: _Source, shape: torch.Size, keys: frozenset[str]) -> Tensor:
        if source.key not in keys:
            raise misfit(self.path.name, f"it lacks {source.key}")
        tensor = source.take(self.checkpoint.tensor(source.key))
        if tensor.shape != shape and tensor.numel() == shape.numel():
            tensor = tensor.reshape(shape)  # 1×1 convolutions and linear layers are stored as either
        if tensor.shape != shape:
            found, expected = tuple(tensor.shape), tuple(shape)
            raise misfit(self.path.name, f"{source.key} has the shape {found} instead of {expected}")
        return tensor.contiguous()


def _text_source(name: str, config: TextEncoderConfig) -> _Source:
    prefix = config.prefixes[0]
    if name.startswith("text_model."):
        return _Source(prefix + name.removeprefix("text_model."))
    return _Source(prefix.removesuffix("text_model.") + name)


_FUSED_TOP = {
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm.weight": "ln_final.weight",
    "text_model.final_layer_norm.bias": "ln_final.bias",
    "text_projection.weight": "text_projection",
}
_FUSED_LAYER = {
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "self_attn.out_proj": "attn.out_proj",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}
_FUSED_PARTS = {"self_attn.q_proj": 0, "self_attn.k_proj": 1, "self_attn.v_proj": 2}


def _fused_source(name: str, config: TextEncoderConfig) -> _Source:
    prefix = config.prefixes[0]
    if name in _FUSED_TOP:
        return _Source(prefix + _FUSED_TOP[name], turned=name == "text_projection.weight")
    found = re.fullmatch(r"text_model\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)", name)
    assert found is not None
    block = f"{prefix}transformer.resblocks.{found[1]}."
    if found[2] in _FUSED_PARTS:
        return _Source(f"{block}attn.in_proj_{found[3]}", part=_FUSED_PARTS[found[2]])
    return _Source(f"{block}{_FUSED_LAYER[found[2]]}.{found[3]}")
