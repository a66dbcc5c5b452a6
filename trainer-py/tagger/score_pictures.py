"""Every picture of a request through a tagger: threads decode ahead while the model computes."""

import base64
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tagger.preprocess import Pixels, preprocess
from tagger.read_picture import UnreadableError, read_picture
from tagger.requests import Score
from tagger.tagger_model import Scores, TaggerModel, load_tagger
from trainer.events import emit
from trainer.failure import Failure

LEAST_SCORE = 0.05
_BATCHES = {"cpu": 4, "cuda": 16, "directml": 8}
_NO_MEMORY = (
    "out of memory",
    "failed to allocate",
    "bad_alloc",
    "not enough memory",
    "cublas_status_alloc_failed",
    "8007000e",
)


def score_pictures(request: Score, stop: threading.Event) -> None:
    """Say the labels, then each picture's scores or why it has none, then `done` or `stopped`. Raises Failure."""
    model = load_tagger(request)
    batch_size = model.fixed_batch or request.batch_size or _BATCHES[model.device]
    emit(
        {
            "type": "tagger",
            "family": model.family,
            "side": model.side,
            "channels_first": model.channels_first,
            "device": model.device,
            "said": model.said,
            "labels": [[label.name, label.category] for label in model.labels],
        }
    )
    started = time.monotonic()
    done = 0
    for batch in _batches(_looked_at(request, model, batch_size, stop), batch_size):
        if stop.is_set():
            break
        _say(batch, _scores_of(model, [one.pixels for one in batch if one.pixels is not None]))
        done += len(batch)
        emit({"type": "progress", "done": done, "total": len(request.images)})
    seconds = time.monotonic() - started
    emit({"type": "done" if done == len(request.images) else "stopped", "pictures": done, "seconds": round(seconds, 3)})


def sparse(scores: Scores) -> str:
    """The scores above LEAST_SCORE as base64, 4 bytes each: the label's index (3, little-endian), score × 255."""
    indices = np.flatnonzero(scores > LEAST_SCORE)
    packed = indices.astype("<u4") | (np.round(scores[indices] * 255).astype("<u4") << np.uint32(24))
    return base64.b64encode(packed.astype("<u4").tobytes()).decode("ascii")


@dataclass(frozen=True)
class _Looked:
    """pixels None: unreadable, and reason says why."""

    image: str
    pixels: Pixels | None = None
    sha256: str = ""
    reason: str = ""


def _looked_at(request: Score, model: TaggerModel, batch_size: int, stop: threading.Event) -> Iterator[_Looked]:
    def look(image: str) -> _Looked:
        try:
            read = read_picture(Path(request.root) / image)
            return _Looked(image, preprocess(read.picture, model.family, model.side), read.sha256)
        except UnreadableError as error:
            return _Looked(image, reason=str(error))

    ahead = 2 * batch_size
    waiting: deque[Future[_Looked]] = deque()
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1), thread_name_prefix="decode") as pool:
        try:
            for image in request.images:
                if stop.is_set():
                    return
                waiting.append(pool.submit(look, image))
                if len(waiting) >= ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _batches(looked: Iterator[_Looked], size: int) -> Iterator[list[_Looked]]:
    batch: list[_Looked] = []
    for one in looked:
        batch.append(one)
        if sum(each.pixels is not None for each in batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _scores_of(model: TaggerModel, pictures: list[Pixels]) -> list[Scores]:
    if not pictures:
        return []
    try:
        return list(model.score(pictures))
    except Exception as error:
        if not any(words in str(error).lower() for words in _NO_MEMORY) and not isinstance(error, MemoryError):
            raise
        if len(pictures) == 1 or model.fixed_batch is not None:
            raise Failure(
                "out_of_memory",
                "Expected enough memory for the tagger, but there was none left; close other programs that use the "
                "GPU, or run the tagger on the CPU.",
                str(error),
            ) from error
    half = len(pictures) // 2
    return [*_scores_of(model, pictures[:half]), *_scores_of(model, pictures[half:])]


def _say(batch: list[_Looked], scores: list[Scores]) -> None:
    following = iter(scores)
    for one in batch:
        if one.pixels is None:
            emit({"type": "unreadable", "image": one.image, "reason": one.reason})
        else:
            emit({"type": "scored", "image": one.image, "picture": one.sha256, "scores": sparse(next(following))})
