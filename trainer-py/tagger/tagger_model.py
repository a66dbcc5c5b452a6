"""A loaded tagger: a batch of pictures in, a score for each of its tags out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tagger.labels import Label, read_labels
from tagger.preprocess import Pixels
from tagger.requests import Score
from tagger.runtime import open_session
from trainer.failure import Failure

Scores = npt.NDArray[np.float32]

_SIDES = {"wd": 448, "cl": 448, "deepdanbooru": 512}
_DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}
# Beyond this a sigmoid is 0 or 1 in float32.
_LARGE = 60.0
_SLACK = 1e-3


@dataclass
class TaggerModel:
    """side: pixels of a picture's edge. channels_first: (N, 3, side, side) instead of (N, side, side, 3).

    fixed_batch: the only number of pictures that it takes at once, None: any. device, said: see OpenSession.
    """

    labels: tuple[Label, ...]
    family: str
    side: int
    channels_first: bool
    fixed_batch: int | None
    device: str
    said: str
    session: Any
    input_name: str
    input_dtype: Any
    output_name: str
    logits: bool

    def score(self, pictures: list[Pixels]) -> Scores:
        """(pictures, labels) in 0…1 for pictures of (side, side, 3) from `preprocess`, at most `fixed_batch`."""
        batch = np.stack(pictures)
        if self.fixed_batch is not None and len(batch) < self.fixed_batch:
            batch = np.concatenate([batch, np.repeat(batch[-1:], self.fixed_batch - len(batch), axis=0)])
        if self.channels_first:
            batch = batch.transpose(0, 3, 1, 2)
        batch = np.ascontiguousarray(batch, dtype=self.input_dtype)
        raw = self.session.run([self.output_name], {self.input_name: batch})[0][: len(pictures)].astype(np.float32)
        return self._scores(raw)

    def _scores(self, raw: Scores) -> Scores:
        raw = np.nan_to_num(raw.reshape(len(raw), -1), nan=0.0, posinf=_LARGE, neginf=-_LARGE)
        # What was outside once is no probability; a later batch that happens to lie within is none either.
        self.logits = self.logits or bool(raw.min() < -_SLACK or raw.max() > 1 + _SLACK)
        scores = 1 / (1 + np.exp(-np.clip(raw, -_LARGE, _LARGE))) if self.logits else np.clip(raw, 0, 1)
        return scores.astype(np.float32)


def load_tagger(request: Score) -> TaggerModel:
    """The tagger of `request`; what it wants is read from the model itself. Raises Failure."""
    labels = read_labels(request.family, Path(request.labels))
    opened = open_session(Path(request.model), request.device)
    wanted = opened.session.get_inputs()
    if len(wanted) != 1 or len(wanted[0].shape) != 4 or wanted[0].type not in _DTYPES:
        raise _unsupported(request, f"one input of four dimensions, found {[(one.type, one.shape) for one in wanted]}")
    batch, first, second, third = wanted[0].shape
    channels_first = first == 3 if (first == 3) != (third == 3) else request.family == "cl"
    side = _side(request, (second, third) if channels_first else (first, second))
    return TaggerModel(
        labels=labels,
        family=request.family,
        side=side,
        channels_first=channels_first,
        fixed_batch=batch if isinstance(batch, int) and batch > 0 else None,
        device=opened.device,
        said=opened.said,
        session=opened.session,
        input_name=wanted[0].name,
        input_dtype=_DTYPES[wanted[0].type],
        output_name=(output := _output(request, opened.session.get_outputs(), len(labels))),
        logits=request.family == "cl" and not _says_probability(output),
    )


def _side(request: Score, dimensions: tuple[Any, Any]) -> int:
    height, width = (length if isinstance(length, int) and length > 0 else None for length in dimensions)
    if height != width:
        raise _unsupported(request, f"square pictures, found {width}×{height}")
    return height or _SIDES[request.family]


def _output(request: Score, outputs: list[Any], labels: int) -> str:
    fitting = [one.name for one in outputs if one.shape and one.shape[-1] == labels]
    open_ended = [one.name for one in outputs if not one.shape or not isinstance(one.shape[-1], int)]
    # An export may give features and raw numbers beside what is wanted.
    named = [name for name in fitting if _says_probability(name)]
    found = named or fitting or open_ended
    if not found:
        shapes = [(one.name, one.shape) for one in outputs]
        raise _unsupported(request, f"{labels} outputs, one for each tag name in {request.labels}, found {shapes}")
    return str(found[0])


def _says_probability(name: str) -> bool:
    return any(word in name.lower() for word in ("prediction", "prob", "sigmoid"))


def _unsupported(request: Score, expected: str) -> Failure:
    return Failure(
        "tagger_unsupported",
        f"{request.model} can't be used as a tagger: expected {expected}. Download it again together with "
        "its tag names, or choose another.",
    )
