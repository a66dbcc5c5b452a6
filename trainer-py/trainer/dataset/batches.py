"""Which pictures meet in which step: a pure function of the seed and the epoch."""

import random
from collections import defaultdict
from collections.abc import Sequence

from trainer.plan import PlanImage
from trainer.randomness import derived_seed


def epoch_batches(images: Sequence[PlanImage], *, batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Batches of indices into `images` for an epoch counted from 1: each image `repeats` times, buckets never mixed.

    The last batch of a bucket may be short, as in kohya.
    """
    buckets: dict[tuple[int, int], list[int]] = defaultdict(list)
    for index, image in enumerate(images):
        buckets[image.bucket] += [index] * image.repeats
    order = random.Random(derived_seed(seed, "batches", epoch))
    batches: list[list[int]] = []
    for size in sorted(buckets):
        samples = buckets[size]
        order.shuffle(samples)
        batches += [samples[at : at + batch_size] for at in range(0, len(samples), batch_size)]
    order.shuffle(batches)
    return batches
