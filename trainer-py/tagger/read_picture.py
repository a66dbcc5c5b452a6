"""A picture's pixels and the name of its content."""

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

MOST_PIXELS = 268_402_689
# Pillow refuses what is twice as large as this.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2


class UnreadableError(Exception):
    """A picture that can't be read; the text says why, as the end of a sentence."""


@dataclass(frozen=True)
class ReadPicture:
    """picture: upright, decoded. sha256: of the file's bytes, 64 hex digits."""

    picture: Image.Image
    sha256: str


def read_picture(path: Path) -> ReadPicture:
    """The first frame of the picture in `path`, upright. Raises UnreadableError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableError(error.strerror or str(error)) from error
    try:
        with Image.open(io.BytesIO(content)) as opened:
            opened.load()
            upright = ImageOps.exif_transpose(opened)
    except Image.DecompressionBombError as error:
        raise UnreadableError(f"it has more than {MOST_PIXELS} pixels") from error
    except UnidentifiedImageError as error:
        raise UnreadableError("it is no picture that can be read") from error
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        raise UnreadableError(f"it is damaged or cut off ({error})") from error
    return ReadPicture(upright, hashlib.sha256(content).hexdigest())
