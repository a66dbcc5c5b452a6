"""Draw the demo data set, as somebody would get it from a booru: python -m pocket.demo_dataset OUTDIR --seed N.

Needs numpy and Pillow only. Equal seeds give equal files, byte for byte.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from pocket.demo_scenes import DemoPicture, demo_pictures
from pocket.draw import paint
from pocket.palette import Rgb
from pocket.scene import Background

TRIGGER = "mossling"
COSTUME = "mossling (winter coat)"
DUPLICATED = 5
WITH_BOM = 2
WITH_LINES = 8

_JUNK = ("absurdres", "highres", "commentary request", "english commentary", "translation request", "bad id", "tagme")
_ARTISTS = ("fernwick", "pebble studio", "artist name")


def main() -> None:
    """Write the data set into OUTDIR."""
    parser = argparse.ArgumentParser(description="Draw the demo data set of the made-up creature 'mossling'.")
    parser.add_argument("outdir", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    write_demo_dataset(options.outdir, options.seed)


def write_demo_dataset(folder: Path, seed: int) -> list[Path]:
    """Write 36 pictures with a .txt caption beside each; returns the pictures' paths in the order of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    post, written = 4_810_000, []
    for index, picture in enumerate(demo_pictures(rng)):
        post += int(rng.integers(37, 9000))
        path = folder / f"{post}{'.png' if picture.transparent or index % 2 == 0 else '.jpg'}"
        image = paint_demo(picture)
        _save(image, path)
        caption = _caption(rng, picture)
        path.with_suffix(".txt").write_bytes(_encoded(caption, index))
        written.append(path)
        if index == DUPLICATED:
            copy = folder / f"{post + 11}.jpg"
            size = (round(image.width * 0.92), round(image.height * 0.92))
            _save(image.resize(size, Image.Resampling.LANCZOS), copy, quality=78)
            copy.with_suffix(".txt").write_bytes(_encoded(caption.replace(", highres", ""), -1))
            written.append(copy)
    return sorted(written)


def paint_demo(picture: DemoPicture) -> Image.Image:
    """RGB, or RGBA whose transparent part hides a colour that is not white."""
    if not picture.transparent:
        return paint(picture.scene, picture.width, picture.height)
    hidden = picture.scene.background.upper
    on_black, on_white = (_on(picture, colour) for colour in ((0, 0, 0), (255, 255, 255)))
    alpha = 255 - np.clip(on_white.mean(axis=2) - on_black.mean(axis=2), 0, 255)
    share = np.maximum(alpha, 1)[..., None] / 255
    colour = np.where(alpha[..., None] > 0, np.clip(on_black / share, 0, 255), np.array(hidden, dtype=float))
    return Image.fromarray(np.concatenate([colour, alpha[..., None]], axis=2).round().astype(np.uint8), "RGBA")


def _on(picture: DemoPicture, colour: Rgb) -> np.ndarray:
    scene = replace(picture.scene, background=Background((), colour, colour, 1.0))
    return np.asarray(paint(scene, picture.width, picture.height)).astype(float)


def _save(image: Image.Image, path: Path, quality: int = 92) -> None:
    if path.suffix == ".jpg":
        image.convert("RGB").save(path, quality=quality)
    else:
        image.save(path)


def _caption(rng: np.random.Generator, picture: DemoPicture) -> str:
    junk = [tag for tag in _JUNK if rng.random() < 0.3]
    artist = [_ARTISTS[int(rng.integers(len(_ARTISTS)))]] if rng.random() < 0.5 else []
    looks = [tag for tag in ("one eye", "antennae", "stripes") if rng.random() < 0.4]
    costume = [COSTUME, "official alternate costume", "winter clothes"] if picture.winter_coat else []
    names = [TRIGGER, *costume]
    shown = [*picture.tags, *looks]
    order = int(rng.integers(3))
    if order == 0:
        tags = [*names, *shown, *artist, *junk]
    elif order == 1:
        tags = [*artist, picture.tags[0], *names, *shown[1:], *junk]
    else:
        tags = [*junk, *shown, *names, *artist]
    return ", ".join(tags)


def _encoded(caption: str, index: int) -> bytes:
    if index == WITH_BOM:
        return b"\xef\xbb\xbf" + caption.encode()
    if index == WITH_LINES:
        first, _, rest = caption.partition(", ")
        return f"{first},\r\n{rest}\r\n".encode()
    return caption.encode()


if __name__ == "__main__":
    main()
