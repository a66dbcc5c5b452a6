"""kohya's three dropouts of a LoRA, each a pure function of the seed and a place in the run."""

from dataclasses import dataclass

import torch
from torch import Tensor

from trainer.randomness import derived_seed

Rows = tuple[int, int, int]
"""The pictures that a piece of a batch has: the first one's place, how many, and how many the whole batch has."""


@dataclass(frozen=True)
class Dropout:
    """Shares, 0 to below 1: of the rank-sized products' numbers, of a sample's ranks, of the modules of a step.

    LoHa, LoKr and DoRA have, as in LyCORIS, no numbers to drop and drop rows of their change instead of ranks.
    """

    network: float = 0.0
    rank: float = 0.0
    module: float = 0.0

    @property
    def any(self) -> bool:
        return self.network > 0 or self.rank > 0 or self.module > 0

    def skips(self, seed: int, place: tuple[int | str, ...]) -> bool:
        """Whether a module takes no part in a step; the same for all threads that share the batch."""
        return self.module > 0 and derived_seed(seed, "moduleDropout", *place) / 2**63 < self.module

    def factors(
        self, seed: int, place: tuple[int | str, ...], shape: tuple[int, int, int], like: Tensor, rows: Rows = (0, 1, 1)
    ) -> Tensor:
        """(samples, positions, rank) in like's type: 0 where dropped, else what keeps the expectation.

        They are drawn for the whole batch, so that a picture's are the same whichever piece of it has the picture.
        """
        samples, positions, rank = shape
        first, count, whole = rows
        # A picture is several samples to the text encoder, one for each chunk of its caption.
        each = max(1, samples // count)
        total = max(samples, whole * each)
        source = torch.Generator(like.device).manual_seed(derived_seed(seed, "dropout", *place))
        found = like.new_empty((total, positions if self.network else 1, rank))
        found.bernoulli_(1 - self.network, generator=source).div_(1 - self.network)
        if self.rank:
            kept = like.new_empty((total, 1, rank)).bernoulli_(1 - self.rank, generator=source)
            found = found * kept.div_(1 - self.rank)
        part = found[first * each : first * each + samples] if total > samples else found
        return part.expand(samples, positions, rank).contiguous()

    def rows(self, seed: int, place: tuple[int | str, ...], count: int, device: torch.device) -> Tensor | None:
        """(count, 1) float32 with 0 for the dropped rows of a change; None when none is dropped."""
        if not self.rank:
            return None
        source = torch.Generator(device).manual_seed(derived_seed(seed, "dropout", *place))
        return torch.empty((count, 1), device=device).bernoulli_(1 - self.rank, generator=source)
