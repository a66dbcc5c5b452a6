"""Which pictures meet in which step."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from run_folder import write_run
from trainer.dataset.batches import epoch_batches
from trainer.plan import PlanImage, read_plan


def _images(tmp_path: Path) -> tuple[PlanImage, ...]:
    return read_plan(write_run(tmp_path, Path("m"), images=14) / "plan.json").trained_images


def test_each_image_is_seen_as_often_as_its_repeats_and_buckets_never_mix(tmp_path: Path) -> None:
    images = tuple(replace(image, repeats=1 + index % 3) for index, image in enumerate(_images(tmp_path)))
    batches = epoch_batches(images, batch_size=4, seed=1, epoch=1)
    seen = Counter(index for batch in batches for index in batch)
    assert seen == {index: image.repeats for index, image in enumerate(images)}
    assert all(len({images[index].bucket for index in batch}) == 1 for batch in batches)
    samples = Counter(image.bucket for image in images for _ in range(image.repeats))
    assert len(batches) == sum(-(-count // 4) for count in samples.values())


def test_the_order_is_a_function_of_seed_and_epoch(tmp_path: Path) -> None:
    images = _images(tmp_path)
    first = epoch_batches(images, batch_size=2, seed=1, epoch=1)
    assert first == epoch_batches(images, batch_size=2, seed=1, epoch=1)
    assert first != epoch_batches(images, batch_size=2, seed=1, epoch=2)
    assert first != epoch_batches(images, batch_size=2, seed=2, epoch=1)
