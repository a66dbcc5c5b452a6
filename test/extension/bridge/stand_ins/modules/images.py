# ruff: noqa: ANN001, ANN201, PTH103, PTH208
# The signatures are those of the WebUI.
"""Saves as the WebUI does: a number that counts up in the folder, infotext inside."""

import os
from pathlib import Path

from PIL import PngImagePlugin


def save_image(
    image, path, basename, seed=None, prompt=None, extension="png", info=None, short_filename=False, grid=False, p=None
):
    os.makedirs(path, exist_ok=True)
    number = len([file for file in os.listdir(path) if file.startswith(basename)])
    decoration = "" if short_filename or seed is None else f"-{seed}"
    file = Path(path) / f"{basename}-{number:04}{decoration}.{extension}"
    pnginfo = PngImagePlugin.PngInfo()
    pnginfo.add_text("parameters", info)
    image.save(file, pnginfo=pnginfo)
    return str(file), None
