"""Captions as chunks of tokens, with the weight of each."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.model.clip_tokenizer import BEGIN, END, token_ids
from trainer.model.prompt_weights import weighted_parts
from trainer.model.text import CHUNK
from trainer.settings import Settings

_COMMA_REACH = 20
"""Tokens at a chunk's end among which a comma is looked for, as in A1111's WebUI."""

Token = tuple[int, float]


@dataclass(frozen=True)
class CaptionTokens:
    """ids (captions, chunks, 77) and weights of the same shape; None: all 1."""

    ids: Tensor
    weights: Tensor | None

    def part(self, place: slice) -> "CaptionTokens":
        return CaptionTokens(self.ids[place], None if self.weights is None else self.weights[place])


def caption_tokens(captions: Sequence[str], settings: Settings) -> CaptionTokens:
    """As kohya: each caption in as many chunks as maxTokenLength has; what is too long is cut.

    With dynamicChunks, as in the WebUI: in as many as the longest of these captions needs. With commaChunks a full
    chunk ends after its last comma.
    """
    most = settings.max_token_length // CHUNK
    rows = [_chunks(tokens, settings.comma_chunks)[:most] for tokens in _tokens(captions, settings.weighted_captions)]
    count = max(map(len, rows)) if settings.dynamic_chunks else most
    filled = [[_framed(chunk) for chunk in row + [[]] * (count - len(row))] for row in rows]
    ids = torch.tensor([[[token for token, _ in chunk] for chunk in row] for row in filled])
    weights = torch.tensor([[[weight for _, weight in chunk] for chunk in row] for row in filled])
    return CaptionTokens(ids, weights if bool((weights != 1).any()) else None)


def _tokens(captions: Sequence[str], weighted: bool) -> list[list[Token]]:
    if not weighted:
        return [[(token, 1.0) for token in ids] for ids in token_ids(captions)]
    rows = []
    for caption in captions:
        parts = weighted_parts(caption)
        ids = token_ids([words for words, _ in parts])
        rows.append([(token, weight) for row, (_, weight) in zip(ids, parts, strict=True) for token in row])
    return rows


def _chunks(tokens: list[Token], at_commas: bool) -> list[list[Token]]:
    """At least one chunk of up to 75 tokens."""
    comma = token_ids([","])[0][0]
    chunks: list[list[Token]] = [[]]
    last_comma = -1
    for token in tokens:
        chunk = chunks[-1]
        if len(chunk) == CHUNK:
            behind = last_comma + 1
            carried: list[Token] = []
            if at_commas and token[0] != comma and behind > 0 and CHUNK - last_comma <= _COMMA_REACH:
                chunks[-1], carried = chunk[:behind], chunk[behind:]
            chunks.append(carried)
            last_comma = -1
        if token[0] == comma:
            last_comma = len(chunks[-1])
        chunks[-1].append(token)
    return chunks


def _framed(chunk: list[Token]) -> list[Token]:
    return [(BEGIN, 1.0), *chunk, *[(END, 1.0)] * (CHUNK + 1 - len(chunk))]
