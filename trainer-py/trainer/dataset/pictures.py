"""Pictures of the plan as pixels of their bucket."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from trainer.dataset.sample_crop import Crop, centre_crop
from trainer.failure import Failure
from trainer.plan import PlanImage


def load_picture(root: Path, image: PlanImage, crop: Crop | None = None) -> Tensor:
    """Pixels (3, height, width) of the bucket in -1…1: upright, alpha on white, scaled, cropped.

    crop: which part of it; None: the centre.

    Raises Failure `crashed` for a picture that is gone or unreadable, `bad_plan` for one of another size than planned.
    """
    path = root / image.id
    picture = _on_white(open_picture(path))
    if picture.size != (image.width, image.height):
        raise Failure(
            "bad_plan",
            f"Expected {path} to be {image.width}×{image.height} pixels as planned, "
            f"found {picture.width}×{picture.height}; plan the run again.",
        )
    pixels = torch.from_numpy(np.array(fitted(picture, image, crop or centre_crop(image)))).permute(2, 0, 1)
    return pixels.float() / 127.5 - 1


def open_picture(path: Path) -> Image.Image:
    """The picture in `path`, upright, in the file's own mode. Raises Failure `crashed` when it can't be read."""
    try:
        with Image.open(path) as opened:
            return ImageOps.exif_transpose(opened)
    except FileNotFoundError as error:
        raise _lost(path, "is not there any more") from error
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _lost(path, "can't be read") from error


def fitted(picture: Image.Image, image: PlanImage, crop: Crop) -> Image.Image:
    """Scaled to cover the bucket of `image`, cropped to it at `crop`, and mirrored where that says so."""
    if picture.size != image.resized:
        picture = picture.resize(image.resized, Image.Resampling.LANCZOS)
    picture = picture.crop((crop.left, crop.top, crop.left + image.bucket[0], crop.top + image.bucket[1]))
    return ImageOps.mirror(picture) if crop.flipped else picture


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        picture = Image.fromarray((np.array(picture) >> 8).astype(np.uint8))
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    picture = picture.convert("RGBA")
    white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, picture).convert("RGB")


def _lost(path: Path, what: str) -> Failure:
    return Failure(
        "crashed",
        f"Expected the picture {path} of the plan, but it {what}; put it back, or plan the run again without it.",
    )
