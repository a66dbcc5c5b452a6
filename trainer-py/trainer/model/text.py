"""Prompts as the context of the UNet, in kohya's form for long captions and clip skip."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.model.base_model import BaseModel
from trainer.model.clip_tokenizer import BEGIN, END, token_ids

CHUNK = 75
"""Tokens between BOS and EOS in one pass of the text encoder."""


@dataclass(frozen=True)
class Conditioning:
    """What prompts tell the UNet: context (prompts, tokens, width), and pooled (prompts, width) for XL, else None."""

    context: Tensor
    pooled: Tensor | None

    def __getitem__(self, place: int | slice) -> "Conditioning":
        return Conditioning(self.context[place], None if self.pooled is None else self.pooled[place])

    @staticmethod
    def stack(prompts: "Sequence[Conditioning]") -> "Conditioning":
        """Of prompts that were taken out one by one."""
        pooled = [each.pooled for each in prompts if each.pooled is not None]
        return Conditioning(torch.stack([each.context for each in prompts]), torch.stack(pooled) if pooled else None)


def encode_prompts(base: BaseModel, prompts: Sequence[str], *, clip_skip: int, max_token_length: int) -> Conditioning:
    """Context (prompts, max_token_length + 2, width) of prompts; differentiable.

    Longer texts are read in chunks of 75 tokens, each with its own BOS and EOS, and joined as BOS, 75, 75 …, EOS.
    clip_skip 1 takes the last layer, 2 the one before; the final layer norm follows in each case, but not in XL, which
    is made for clip skip 2.
    """
    return encode_tokens(base, tokenize(base, prompts, max_token_length), clip_skip=clip_skip)


def tokenize(base: BaseModel, prompts: Sequence[str], max_token_length: int) -> Tensor:
    """Token ids (prompts, chunks, 77) on the CPU, filled up with EOS; what exceeds max_token_length is cut off."""
    rows = []
    for ids in token_ids(prompts):
        ids = ids[:max_token_length] + [END] * (max_token_length - len(ids))
        rows.append([[BEGIN, *ids[at : at + CHUNK], END] for at in range(0, max_token_length, CHUNK)])
    return torch.tensor(rows)


def encode_tokens(base: BaseModel, tokens: Tensor, *, clip_skip: int) -> Conditioning:
    """Conditioning with a context (prompts, 75·chunks + 2, width) of token ids (prompts, chunks, 77).

    pooled is that of the first chunk, as in kohya and the WebUI.
    """
    count, chunks, length = tokens.shape
    ids = tokens.reshape(-1, length).to(base.device)
    outputs = [encoder(_padded(ids, encoder.config.pad), clip_skip=clip_skip) for encoder in base.text_encoders]
    hidden = outputs[0].hidden if len(outputs) == 1 else torch.cat([each.hidden for each in outputs], dim=-1)
    pooled = outputs[-1].pooled
    if pooled is not None:
        pooled = pooled.view(count, chunks, -1)[:, 0]
    if chunks == 1:
        return Conditioning(hidden, pooled)
    hidden = hidden.view(count, chunks, length, -1)
    body = hidden[:, :, 1:-1].flatten(1, 2)
    return Conditioning(torch.cat([hidden[:, 0, :1], body, hidden[:, -1, -1:]], dim=1), pooled)


def _padded(ids: Tensor, pad: int) -> Tensor:
    """Ids (n, 77) with `pad` instead of EOS after the first EOS."""
    if pad == END:
        return ids
    ended = (ids == END).cumsum(dim=-1)
    return ids.masked_fill(ended > 1, pad)
