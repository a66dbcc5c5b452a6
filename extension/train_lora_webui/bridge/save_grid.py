"""Puts a finished grid sheet where the WebUI keeps its grids."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from .failure import Failure

BASENAME = "train_lora_grid"


def save_grid(request: dict[str, Any]) -> str:
    """
    Answers `saveGrid`: saves the sheet by the WebUI's own rules for grids (folder, sub-folders, name pattern,
    format), with its infotext, and returns the file. When the user saves no grids, nothing is written and the sheet's
    own path is returned. Raises Failure `bad_request` for a missing or too large sheet.
    """
    from modules import images, shared
    from PIL import Image

    sheet, infotext = Path(request["sheet"]), request["infotext"]
    if not sheet.is_file():
        raise Failure("bad_request", f"The grid's sheet {sheet.name} is not there any more. Draw the grid again.")
    options = shared.opts
    if not options.grid_save:
        return str(sheet)
    with Image.open(sheet) as opened:
        _check_size(opened.width * opened.height / 1e6, getattr(options, "img_max_size_mp", 0))
        image = opened.convert("RGB")
    seed = re.search(r"(?:^|, )Seed: (\d+)", infotext.rsplit("\n", 1)[-1])
    file, _text_file = images.save_image(
        image,
        options.outdir_grids or options.outdir_txt2img_grids,
        BASENAME,
        info=infotext,
        extension=options.grid_format,
        prompt=re.split(r"\nNegative prompt:|\nSteps: ", infotext, maxsplit=1)[0],
        seed=int(seed.group(1)) if seed else None,
        short_filename=not options.grid_extended_filename,
        grid=True,
    )
    return str(Path(file).absolute())


def _check_size(megapixels: float, limit: float) -> None:
    if limit and megapixels > limit:
        raise Failure(
            "bad_request",
            f"The sheet has {megapixels:.0f} megapixels and the WebUI allows {limit:g} (Settings, Maximum image size). "
            "Draw fewer or smaller cells, or raise the limit.",
        )
