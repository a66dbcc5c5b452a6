"""Which parts of a picture count: mask files and alpha channels."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from trainer.dataset.pictures import fitted, open_picture
from trainer.dataset.sample_crop import Crop, Sample, training_crops
from trainer.plan import Plan, PlanImage
from trainer.settings import Settings

_LATENT_SIDE = 8


def load_masks(root: Path, plan: Plan) -> dict[Sample, Tensor]:
    """Masks (1, height/8, width/8) in 0–1 of the samples of pictures that have one: with maskedLoss the mask file
    (white counts, black does not), else with alphaMask the picture's own alpha channel.

    As in kohya a mask is scaled down by area, and the red channel of a coloured one counts. Raises Failure.
    """
    found = {}
    for image in plan.trained_images:
        mask = _mask(root, image, plan.settings.of(image.subset))
        if mask is not None:
            crops = training_crops(image, plan.settings)
            found.update({Sample(image, crop): latent_mask(mask, image, crop) for crop in crops})
    return found


def latent_mask(mask: Image.Image, image: PlanImage, crop: Crop) -> Tensor:
    """A grey picture as the mask (1, height/8, width/8) of `image`, scaled and cropped as the picture is."""
    if mask.size != (image.width, image.height):
        mask = mask.resize((image.width, image.height), Image.Resampling.BILINEAR)
    pixels = torch.from_numpy(np.array(fitted(mask, image, crop), dtype=np.float32)) / 255
    return F.avg_pool2d(pixels[None], _LATENT_SIDE)


def _mask(root: Path, image: PlanImage, settings: Settings) -> Image.Image | None:
    if settings.masked_loss and image.mask:
        return open_picture(root / image.mask).convert("RGB").getchannel("R")
    return _alpha(open_picture(root / image.id)) if settings.alpha_mask else None


def _alpha(picture: Image.Image) -> Image.Image | None:
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return None
    return picture.convert("RGBA").getchannel("A")
