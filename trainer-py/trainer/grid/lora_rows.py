"""Whose LoRA, at what weight, each stretch of a batch gets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

Row = tuple[int | None, float]
"""Index of a LoRA (None: the base model) and its weight."""


@dataclass(frozen=True)
class Block:
    """Neighbouring rows `start`–`stop` that hold the LoRAs `first`, `first` + 1 …, `each` rows of each."""

    first: int
    count: int
    start: int
    each: int

    @property
    def stop(self) -> int:
        return self.start + self.count * self.each


@dataclass
class Rows:
    """The rows of a batch. own_weights: each row gets whole weights, kept in `weights`, for more than one forward."""

    rows: tuple[Row, ...]
    own_weights: bool
    blocks: list[Block] = field(init=False)
    weights: dict[Any, Tensor] = field(default_factory=dict)
    constant: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)
    _factors: dict[Any, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.blocks = _blocks(self.rows)

    def factors(self, scales: tuple[float, ...], repeat: int, like: Tensor) -> Tensor:
        """weight · alpha / rank of each sample (samples,)."""
        key = (scales, repeat, like.dtype, like.device)
        if key not in self._factors:
            values = [0.0 if lora is None else weight * scales[lora] for lora, weight in self.rows]
            self._factors[key] = torch.tensor(values, dtype=like.dtype, device=like.device).repeat_interleave(repeat)
        return self._factors[key]

    def stretches(self) -> Iterator[tuple[Row, slice]]:
        """Neighbouring rows of one LoRA at one weight, without those of the base model."""
        at = 0
        while at < len(self.rows):
            row, start = self.rows[at], at
            while at < len(self.rows) and self.rows[at] == row:
                at += 1
            if row[0] is not None and row[1] != 0:
                yield row, slice(start, at)


def _blocks(rows: Sequence[Row]) -> list[Block]:
    runs: list[tuple[int, int, int]] = []  # lora, start, length
    for index, (lora, weight) in enumerate(rows):
        if lora is None or weight == 0:
            continue
        if runs and runs[-1][0] == lora and runs[-1][1] + runs[-1][2] == index:
            runs[-1] = (lora, runs[-1][1], runs[-1][2] + 1)
        else:
            runs.append((lora, index, 1))
    blocks: list[Block] = []
    for lora, start, length in runs:
        last = blocks[-1] if blocks else None
        if last and last.stop == start and last.each == length and last.first + last.count == lora:
            blocks[-1] = Block(last.first, last.count + 1, last.start, length)
        else:
            blocks.append(Block(lora, 1, start, length))
    return blocks
