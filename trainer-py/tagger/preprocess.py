"""Pictures as a tagger of each family was shown them. The reference is what the taggers' authors run themselves."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from tagger.requests import Family

Pixels = npt.NDArray[np.float32]


def preprocess(picture: Image.Image, family: Family | str, side: int) -> Pixels:
    """`picture`, upright and in any mode, as (side, side, 3) of float32.

    wd: on white, padded with white to a square, bicubic; blue-green-red in 0…255.
    cl: likewise, in -1…1.
    deepdanbooru: scaled by area to fit, its edge pixels repeated outwards; red-green-blue in 0…1.
    """
    match family:
        case "wd":
            return _padded_bgr(picture, side)
        case "cl":
            return _padded_bgr(picture, side) / np.float32(127.5) - np.float32(1)
        case _:
            return _edge_padded(picture, side) / np.float32(255)


def on_white(picture: Image.Image) -> Image.Image:
    """The picture in RGB; where it is transparent, white shows through."""
    picture = _eight_bits(picture)
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    picture = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, (255, 255, 255, 255)), picture).convert("RGB")


def _padded_bgr(picture: Image.Image, side: int) -> Pixels:
    flat = on_white(picture)
    longest = max(flat.size)
    square = Image.new("RGB", (longest, longest), (255, 255, 255))
    square.paste(flat, ((longest - flat.width) // 2, (longest - flat.height) // 2))
    if longest != side:
        square = square.resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(square, dtype=np.float32)[:, :, ::-1]


def _edge_padded(picture: Image.Image, side: int) -> Pixels:
    # The decoder of the reference takes three channels and leaves what lies under transparent pixels as it is.
    colours = _eight_bits(picture).convert("RGB")
    scale = min(side / colours.width, side / colours.height)
    width, height = (max(1, min(side, round(length * scale))) for length in colours.size)
    if colours.size != (width, height):
        colours = colours.resize((width, height), Image.Resampling.BOX)
    left, top = (side - width) // 2, (side - height) // 2
    margins = ((top, side - height - top), (left, side - width - left), (0, 0))
    return np.pad(np.asarray(colours, dtype=np.float32), margins, mode="edge")


def _eight_bits(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.array(picture) >> 8).astype(np.uint8))
    if picture.mode == "I":
        # Some 16-bit files are opened in this mode of 32 bits.
        return Image.fromarray((np.clip(np.array(picture), 0, 65535) >> 8).astype(np.uint8))
    return picture
