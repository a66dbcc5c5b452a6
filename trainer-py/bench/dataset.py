"""`python bench/dataset.py LIST.json`: Pillow looking at pictures as a scan does; prints {seconds, pictures}.

LIST.json holds `[{"file": path, "resized": [width, height]}, …]`. One process, as a Python trainer reads a data set.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

SIDE = 32
KEPT = 8


def main(list_file: Path) -> None:
    """Time all pictures of the list, without the start of Python and its imports."""
    works = json.loads(list_file.read_text(encoding="utf-8"))
    started = time.perf_counter()
    hashes = [look(Path(work["file"]), tuple(work["resized"])) for work in works]
    seconds = time.perf_counter() - started
    sys.stdout.write(json.dumps({"seconds": seconds, "pictures": len(hashes)}) + "\n")


def look(file: Path, resized: tuple[int, int]) -> int:
    """Open, turn upright, put on white, scale to the bucket's size; returns the 64-bit perceptual hash."""
    with Image.open(file) as opened:
        upright = ImageOps.exif_transpose(opened)
        picture = on_white(upright).resize(resized, Image.Resampling.LANCZOS)
    return perceptual_hash(picture)


def on_white(picture: Image.Image) -> Image.Image:
    """RGB pixels, with white where the picture is transparent."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layers = picture.convert("RGBA")
    if layers.getchannel("A").getextrema()[0] == 255:
        return layers.convert("RGB")
    white = Image.new("RGBA", layers.size, "white")
    return Image.alpha_composite(white, layers).convert("RGB")


def perceptual_hash(picture: Image.Image) -> int:
    """The signs of the 64 lowest cosine frequencies of a 32 × 32 grey picture, against their median."""
    grey = np.asarray(picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX), np.float64)
    frequencies = (_COSINES @ grey @ _COSINES.T).ravel()
    bits = frequencies > np.median(frequencies[1:])
    return int(np.packbits(bits).view(">u8")[0])


_COSINES = np.cos(np.outer(np.arange(KEPT), 2 * np.arange(SIDE) + 1) * np.pi / (2 * SIDE))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
