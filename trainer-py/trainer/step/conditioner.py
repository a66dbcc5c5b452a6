"""Captions as what the UNet is told: tokens, and their context with or without gradients."""

import torch
from torch import Tensor

from trainer.dataset.caption_tokens import CaptionTokens, caption_tokens
from trainer.model.base_model import BaseModel
from trainer.model.text import Conditioning, encode_tokens
from trainer.settings import Settings


class Conditioner:
    """Remembers the contexts of captions that stay the same, where the text encoder does too.

    `fixed` says that captions are the same each time.
    """

    def __init__(self, base: BaseModel, settings: Settings, *, fixed: bool) -> None:
        self._base, self._settings, self._fixed = base, settings, fixed
        self._contexts: dict[tuple[str, int], Conditioning] = {}

    def tokens(self, captions: list[str]) -> CaptionTokens:
        """Tokens (B, chunks, 77), with their weights where captions have some."""
        return caption_tokens(captions, self._settings)

    def context(self, captions: list[str], tokens: CaptionTokens, *, trained: bool) -> Conditioning:
        """With a context (B, tokens, width); differentiable when the text encoder is trained."""
        if trained:
            return self.encode(tokens)
        with torch.no_grad():
            if not self._fixed:
                return self.encode(tokens)
            found = []
            for row, caption in enumerate(captions):
                key = (caption, tokens.ids.shape[1])
                if key not in self._contexts:
                    self._contexts[key] = self.encode(tokens.part(slice(row, row + 1)))[0]
                found.append(self._contexts[key])
            return Conditioning.stack(found)

    def encode(self, tokens: CaptionTokens) -> Conditioning:
        """With a context (B, 75·chunks + 2, width); a weight multiplies what its token says, as in kohya."""
        found = encode_tokens(self._base, tokens.ids, clip_skip=self._settings.clip_skip)
        if tokens.weights is None:
            return found
        weights = _joined(tokens.weights).to(found.context.device, found.context.dtype)
        return Conditioning(found.context * weights[..., None], found.pooled)


def _joined(weights: Tensor) -> Tensor:
    """Weights (B, chunks, 77) in the order of the joined context, whose ends weigh 1."""
    ends = weights.new_ones(len(weights), 1)
    return torch.cat([ends, weights[:, :, 1:-1].flatten(1), ends], dim=1)
