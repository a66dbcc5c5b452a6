"""Captions as what the UNet is told: tokens, and their context with or without gradients."""

import torch
from torch import Tensor

from trainer.base_model import BaseModel
from trainer.settings import Settings
from trainer.text import encode_tokens, tokenize


class Conditioner:
    """Remembers what does not change: tokens of captions that stay the same, contexts of a text encoder that does.

    `fixed` says that captions are the same each time.
    """

    def __init__(self, base: BaseModel, settings: Settings, *, fixed: bool) -> None:
        self._base, self._settings, self._fixed = base, settings, fixed
        self._tokens: dict[str, Tensor] = {}
        self._contexts: dict[str, Tensor] = {}

    def tokens(self, captions: list[str]) -> Tensor:
        """Token ids (B, chunks, 77)."""
        length = self._settings.max_token_length
        if not self._fixed:
            return tokenize(self._base, captions, length)
        for caption in captions:
            if caption not in self._tokens:
                self._tokens[caption] = tokenize(self._base, [caption], length)[0]
        return torch.stack([self._tokens[caption] for caption in captions])

    def context(self, captions: list[str], tokens: Tensor, *, trained: bool) -> Tensor:
        """Context (B, tokens, width); differentiable when the text encoder is trained."""
        if trained:
            return self._encode(tokens)
        with torch.no_grad():
            if not self._fixed:
                return self._encode(tokens)
            for caption, ids in zip(captions, tokens, strict=True):
                if caption not in self._contexts:
                    self._contexts[caption] = self._encode(ids[None])[0]
            return torch.stack([self._contexts[caption] for caption in captions])

    def plain_context(self, tokens: Tensor) -> Tensor:
        """Context of tokens that are asked for once."""
        return self._encode(tokens)

    def _encode(self, tokens: Tensor) -> Tensor:
        return encode_tokens(self._base, tokens, clip_skip=self._settings.clip_skip).context
