"""Which part of a picture is trained on: at the centre, at random places, and mirrored."""

import random
from dataclasses import dataclass

from trainer.plan import Plan, PlanImage
from trainer.randomness import derived_seed
from trainer.settings import Settings


@dataclass(frozen=True)
class Crop:
    """The bucket's place in the scaled picture, in pixels from its left upper corner, and whether it is mirrored."""

    left: int
    top: int
    flipped: bool = False


@dataclass(frozen=True)
class Sample:
    """One picture as a step can see it."""

    image: PlanImage
    crop: Crop

    @property
    def sizes(self) -> tuple[int, int, int, int, int, int]:
        """What XL is told: height and width of the original, top and left of the crop, height and width of the rest."""
        image, crop = self.image, self.crop
        width, height = image.bucket
        left = image.resized[0] - width - crop.left if crop.flipped else crop.left
        return image.height, image.width, crop.top, left, height, width


def centre_crop(image: PlanImage) -> Crop:
    """The crop that is measured, and trained on unless there are random ones."""
    return Crop((image.resized[0] - image.bucket[0]) // 2, (image.resized[1] - image.bucket[1]) // 2)


def centre_samples(plan: Plan) -> list[Sample]:
    """Every picture of the plan at its centre."""
    return [Sample(image, centre_crop(image)) for image in plan.images]


def training_crops(image: PlanImage, settings: Settings) -> tuple[Crop, ...]:
    """The crops that steps choose from: randomCrops places (fewer where there is little room), or the centre; with
    flipAug each of them mirrored too. A function of the seed and the picture.
    """
    options = settings.of(image.subset)
    crops = [centre_crop(image)]
    if options.random_crops:
        room = (image.resized[0] - image.bucket[0], image.resized[1] - image.bucket[1])
        source = random.Random(derived_seed(settings.seed, "crops", image.id))
        places = [(source.randint(0, room[0]), source.randint(0, room[1])) for _ in range(options.random_crops)]
        crops = [Crop(left, top) for left, top in dict.fromkeys(places)]
    flipped = [Crop(crop.left, crop.top, True) for crop in crops] if options.flip_aug else []
    return (*crops, *flipped)
