"""Prompts as the context of the UNet, in kohya's form for long captions and clip skip."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from trainer.base_model import BaseModel

CHUNK = 75
"""Tokens between BOS and EOS in one pass of the text encoder."""


def encode_prompts(base: BaseModel, prompts: Sequence[str], *, clip_skip: int, max_token_length: int) -> Tensor:
    """Context (prompts, max_token_length + 2, width) of prompts; differentiable.

    Longer texts are read in chunks of 75 tokens, each with its own BOS and EOS, and joined as BOS, 75, 75 …, EOS.
    clip_skip 1 takes the last layer, 2 the one before; the final layer norm follows in each case.
    """
    return encode_tokens(base, tokenize(base, prompts, max_token_length), clip_skip=clip_skip)


def tokenize(base: BaseModel, prompts: Sequence[str], max_token_length: int) -> Tensor:
    """Token ids (prompts, chunks, 77) on the CPU; what goes beyond max_token_length is cut off."""
    tokenizer = base.tokenizer
    begin, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    rows = []
    for ids in tokenizer(list(prompts), add_special_tokens=False, verbose=False).input_ids:
        ids = ids[:max_token_length] + [end] * (max_token_length - len(ids))
        rows.append([[begin, *ids[at : at + CHUNK], end] for at in range(0, max_token_length, CHUNK)])
    return torch.tensor(rows)


def encode_tokens(base: BaseModel, tokens: Tensor, *, clip_skip: int) -> Tensor:
    """Context (prompts, 75·chunks + 2, width) of token ids (prompts, chunks, 77)."""
    count, chunks, length = tokens.shape
    with _without_last_layers(base.text_encoder.encoder, clip_skip - 1):
        hidden = base.text_encoder(input_ids=tokens.reshape(-1, length).to(base.device)).last_hidden_state
    hidden = hidden.view(count, chunks, length, -1)
    if chunks == 1:
        return hidden[:, 0]
    body = hidden[:, :, 1:-1].flatten(1, 2)
    return torch.cat([hidden[:, 0, :1], body, hidden[:, -1, -1:]], dim=1)


@contextmanager
def _without_last_layers(encoder: Any, count: int) -> Iterator[None]:  # noqa: ANN401
    # Layers that clip skip throws away are never computed.
    layers = encoder.layers
    encoder.layers = layers[: max(1, len(layers) - count)] if count else layers
    try:
        yield
    finally:
        encoder.layers = layers
