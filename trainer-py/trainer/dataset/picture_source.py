"""The pictures of a step as latents and masks."""

from collections.abc import Container, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from trainer.dataset.colour_jitter import jittered
from trainer.dataset.latent_cache import encode_pictures
from trainer.dataset.pictures import load_picture
from trainer.dataset.sample_crop import Sample, training_crops
from trainer.model.base_model import BaseModel
from trainer.plan import Plan, PlanImage
from trainer.randomness import derived_seed

Place = tuple[int, ...]


def training_samples(plan: Plan) -> list[Sample]:
    """Every sample that a step can see of pictures whose latents can be kept."""
    return [
        Sample(image, crop)
        for image in plan.trained_images
        if not plan.settings.of(image.subset).color_aug
        for crop in training_crops(image, plan.settings)
    ]


class PictureSource:
    """latents: (4, h, w) of all `training_samples`; masks: (1, h, w) in 0–1 of the samples that have one."""

    def __init__(
        self, base: BaseModel, plan: Plan, latents: Mapping[Sample, Tensor], masks: Mapping[Sample, Tensor]
    ) -> None:
        self._base, self._plan, self._latents, self._masks = base, plan, latents, masks
        self._root = Path(plan.dataset.root)

    def samples(self, images: Sequence[PlanImage], place: Place) -> list[Sample]:
        """What the batch at `place` sees of its pictures."""
        return [self._sample(image, (*place, row)) for row, image in enumerate(images)]

    def latents(self, samples: Sequence[Sample], place: Place, rows: Container[int] | None = None) -> Tensor:
        """Latents (B, 4, h, w) on the CPU; with colour jitter they are encoded now, and zeros outside of `rows`."""
        return torch.stack(
            [self._latent(sample, (*place, row), rows is None or row in rows) for row, sample in enumerate(samples)]
        )

    def masks(self, samples: Sequence[Sample], clean: Tensor) -> Tensor | None:
        """Masks (B, 1, h, w) of latents `clean`; None when no picture has one."""
        masks = [self._masks.get(sample) for sample in samples]
        if all(mask is None for mask in masks):
            return None
        whole = clean.new_ones(1, *clean.shape[2:])
        return torch.stack([whole if mask is None else mask for mask in masks])

    def _sample(self, image: PlanImage, place: Place) -> Sample:
        crops = training_crops(image, self._plan.settings)
        choice = derived_seed(self._plan.settings.seed, "crop", *place) % len(crops) if len(crops) > 1 else 0
        return Sample(image, crops[choice])

    def _latent(self, sample: Sample, place: Place, wanted: bool) -> Tensor:
        if not self._plan.settings.of(sample.image.subset).color_aug:
            return self._latents[sample]
        if not wanted:
            width, height = sample.image.bucket
            return torch.zeros(4, height // 8, width // 8)
        pixels = load_picture(self._root, sample.image, sample.crop)
        seed = derived_seed(self._plan.settings.seed, "colour", *place)
        return encode_pictures(self._base, [jittered(pixels, seed)])[0]
