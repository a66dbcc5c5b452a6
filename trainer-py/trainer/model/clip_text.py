"""CLIP's text model, under the names of Hugging Face's files."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.model.activation import GELU, QUICK_GELU, linear_after
from trainer.model.joined_linear import JoinedLinear
from trainer.model.model_config import TextEncoderConfig
from trainer.model.named_layers import NamedLayers, NumberedLayers
from trainer.model.recompute import recomputed


@dataclass(frozen=True)
class TextOutput:
    """hidden (n, 77, width) of the layer that was asked for; pooled (n, projection), None where there is no such."""

    hidden: Tensor
    pooled: Tensor | None


class ClipText(nn.Module):
    """A frozen text encoder; a LoRA takes the place of single layers' `forward`.

    skipped: last layers that are neither made nor loaded, because clip skip leaves them out. A model with a projection
    has all of its layers, since its pooled output comes from the last. recomputes: nothing but the layers' inputs is
    kept for the backward pass.
    """

    def __init__(self, config: TextEncoderConfig, *, skipped: int = 0) -> None:
        super().__init__()
        self.config = config
        self.recomputes = False
        count = config.layers if config.projection else max(1, config.layers - skipped)
        self.text_model = NamedLayers(
            {
                "embeddings": NamedLayers(
                    {
                        "token_embedding": _embedding(config.vocabulary, config.width),
                        "position_embedding": _embedding(config.positions, config.width),
                    }
                ),
                "encoder": NamedLayers({"layers": NumberedLayers(_Layer(config) for _ in range(count))}),
                "final_layer_norm": nn.LayerNorm(config.width),
            }
        )
        if config.projection:
            self.text_projection = nn.Linear(config.width, config.projection, bias=False)

    @property
    def dtype(self) -> torch.dtype:
        return self.text_model["final_layer_norm"].weight.dtype

    def joined(self) -> Iterator[JoinedLinear]:
        """Layers whose weights belong in one storage."""
        yield from (layer.self_attn.own for layer in self._layers)

    def forward(self, ids: Tensor, *, clip_skip: int = 1) -> TextOutput:
        """Of token ids (n, 77) on the model's device; clip_skip 1 takes the last layer, 2 the one before.

        Layers that nothing needs are not computed. Raises ValueError for a layer that was not loaded.
        """
        embeddings = self.text_model["embeddings"]
        x = embeddings["token_embedding"](ids) + embeddings["position_embedding"].weight[: ids.shape[1]]
        wanted = max(1, self.config.layers - (clip_skip - 1))
        if wanted > len(self._layers):
            raise ValueError(f"layer {wanted} of the text encoder was left out when it was loaded")
        hidden = x
        for index, layer in enumerate(self._layers):
            if index >= wanted and not self.config.projection:
                break
            x = recomputed(layer, x) if self.recomputes else layer(x)
            if index + 1 == wanted:
                hidden = x
        norm = self.text_model["final_layer_norm"]
        pooled = self._pooled(norm(x), ids) if self.config.projection else None
        return TextOutput(norm(hidden) if self.config.final_norm else hidden, pooled)

    @property
    def _layers(self) -> NumberedLayers:
        return self.text_model["encoder"]["layers"]

    def _pooled(self, hidden: Tensor, ids: Tensor) -> Tensor:
        ends = (ids == _END).int().argmax(dim=-1)
        return self.text_projection(hidden[torch.arange(len(ids), device=ids.device), ends])


_END = 49407


def _embedding(count: int, width: int) -> nn.Embedding:
    # Unset: to draw numbers for it on the meta device torch would load its compiler, which takes a second.
    return nn.Embedding(count, width, _weight=torch.empty(count, width))


class _Layer(nn.Module):
    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        self.layer_norm1 = nn.LayerNorm(config.width)
        self.self_attn = _Attention(config)
        self.layer_norm2 = nn.LayerNorm(config.width)
        self.mlp = NamedLayers(
            {"fc1": nn.Linear(config.width, config.inner), "fc2": nn.Linear(config.inner, config.width)}
        )
        self._activation = QUICK_GELU if config.quick_gelu else GELU

    def forward(self, x: Tensor) -> Tensor:
        x = self.self_attn(self.layer_norm1(x)) + x
        return linear_after(self.mlp["fc2"], self._activation, self.mlp["fc1"](self.layer_norm2(x))) + x


class _Attention(nn.Module):
    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        self._heads = config.heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(config.width, config.width) for _ in range(4))
        self.own = JoinedLinear((self.q_proj, self.k_proj, self.v_proj))

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (part.unflatten(-1, (self._heads, -1)).transpose(1, 2) for part in self.own(x))
        y = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.out_proj(y.transpose(1, 2).flatten(2))
