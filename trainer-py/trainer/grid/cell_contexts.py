"""What the prompts of a grid's cells tell the UNet, in the WebUI's form for long prompts."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from trainer.grid.lora_batch import LoraBatch
from trainer.grid.lora_rows import Row
from trainer.model.base_model import BaseModel
from trainer.model.clip_tokenizer import token_ids
from trainer.model.text import CHUNK, Conditioning, encode_tokens, tokenize

_TEXTS_AT_ONCE = 64


class _Drawing(Protocol):
    @property
    def negative_prompt(self) -> str: ...
    @property
    def clip_skip(self) -> int: ...


class CellContexts:
    """Text encoder outputs by (row, text): the LoRA changes them as well. `loras` must have been entered."""

    def __init__(self, base: BaseModel, loras: LoraBatch, cells: Sequence[tuple[Row, str]], drawing: _Drawing) -> None:
        self._negative = drawing.negative_prompt
        # The WebUI gives XL nothing at all in place of an empty negative prompt.
        self._negative_is_zero = base.config.kind == "sdxl" and not self._negative
        texts = list(dict.fromkeys([self._negative, *(prompt for _, prompt in cells)]))
        tokens = _tokens(base, texts)
        self._texts = {text: index for index, text in enumerate(texts)}
        rows = sorted({row for row, _ in cells}, key=lambda row: (-1 if row[0] is None else row[0], row[1]))
        self._rows: dict[Row, Conditioning] = {}
        each = max(1, _TEXTS_AT_ONCE // tokens.shape[:2].numel())
        for start in range(0, len(rows), each):
            some = rows[start : start + each]
            found = _encode(base, loras, some, tokens, drawing.clip_skip)
            self._rows.update((row, found[at]) for at, row in enumerate(some))

    def __call__(self, cells: Sequence[tuple[Row, str]]) -> Conditioning:
        """With a context (cells, tokens, width)."""
        return Conditioning.stack([self._rows[row][self._texts[text]] for row, text in cells])

    def negative(self, rows: Sequence[Row]) -> Conditioning:
        """The same of the negative prompt, for each of the rows."""
        found = self([(row, self._negative) for row in rows])
        if not self._negative_is_zero or found.pooled is None:
            return found
        return Conditioning(torch.zeros_like(found.context), torch.zeros_like(found.pooled))


def _tokens(base: BaseModel, texts: Sequence[str]) -> Tensor:
    # (texts, chunks, 77) with as many chunks as the longest text needs; guidance wants both contexts equally long.
    lengths = [len(ids) for ids in token_ids(texts)]
    chunks = max(1, -(-max(lengths) // CHUNK))
    return tokenize(base, texts, CHUNK * chunks)


@torch.no_grad()
def _encode(base: BaseModel, loras: LoraBatch, rows: Sequence[Row], tokens: Tensor, clip_skip: int) -> Conditioning:
    # With a context (rows, texts, tokens, width); the WebUI joins a long prompt's chunks with BOS and EOS left in.
    texts, chunks, length = tokens.shape
    loras.set_rows(rows)
    single = tokens.reshape(1, texts * chunks, 1, length).expand(len(rows), -1, -1, -1).reshape(-1, 1, length)
    found = encode_tokens(base, single, clip_skip=clip_skip)
    loras.set_rows(())
    context = found.context.reshape(len(rows), texts, chunks * length, -1)
    pooled = None if found.pooled is None else found.pooled.view(len(rows), texts, chunks, -1)[:, :, 0]
    return Conditioning(context, pooled)
