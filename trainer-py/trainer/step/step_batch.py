"""The pictures, captions and noise of a step."""

from dataclasses import dataclass, fields
from typing import Any

from torch import Tensor

from trainer.dataset.caption_tokens import CaptionTokens
from trainer.dataset.sample_crop import Sample


@dataclass(frozen=True)
class Batch:
    """Latents noisy and target (B, 4, h, w), timesteps and their ᾱ (B,), samples, captions and their tokens.

    micro: which one of the batches that a step accumulates; first, whole: it has the pictures from `first` on, of
    `whole`.
    weights (B,): how much each picture's loss counts; None: all 1. masks: (B, 1, h, w) in 0–1 or None. plain_tokens
    are those without the trigger word where the base model's own prediction is asked for as well, else None.
    """

    noisy: Tensor
    target: Tensor
    timesteps: Tensor
    alphas: Tensor
    samples: list[Sample]
    captions: list[str]
    tokens: CaptionTokens
    micro: int
    first: int
    whole: int
    weights: Tensor | None = None
    masks: Tensor | None = None
    plain_tokens: CaptionTokens | None = None

    def __len__(self) -> int:
        return len(self.captions)

    def parts(self, count: int) -> "list[Batch]":
        """At most `count` parts of nearly equal size, in order."""
        size = -(-len(self) // count)
        return [self.part(slice(at, at + size)) for at in range(0, len(self), size)]

    def part(self, place: slice) -> "Batch":
        """The pictures at `place` among these."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        cut = {name: _cut(value, place) for name, value in values.items()}
        return Batch(**{**cut, "first": self.first + place.start})


def _cut(value: Any, place: slice) -> Any:  # noqa: ANN401
    if isinstance(value, CaptionTokens):
        return value.part(place)
    return value if value is None or isinstance(value, int) else value[place]
