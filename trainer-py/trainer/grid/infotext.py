"""The text under which the WebUI finds a picture's settings again, and the PNG that carries it."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, PngImagePlugin

from trainer.grid.sample import Drawing
from trainer.grid.sampler import SAMPLERS

KEY = "parameters"


@dataclass(frozen=True)
class LoraTag:
    """A LoRA in a prompt. hash: its sshs_model_hash, "" when unknown."""

    name: str
    weight: float
    hash: str = ""

    def __str__(self) -> str:
        return f"<lora:{self.name}:{self.weight:g}>"


@dataclass(frozen=True)
class ModelTag:
    """The base model's name and the sha256 of its file, "" when unknown."""

    name: str
    hash: str = ""


def infotext(prompt: str, loras: Sequence[LoraTag], model: ModelTag, drawing: Drawing, seed: int) -> str:
    """A1111's form: prompt, negative prompt, and one line of `Key: value`, which its "PNG Info" and "paste" read."""
    lines = [" ".join([prompt, *map(str, loras)]).strip()]
    if drawing.negative_prompt:
        lines.append(f"Negative prompt: {drawing.negative_prompt}")
    hashes = ", ".join(f"{lora.name}: {lora.hash[:12]}" for lora in loras if lora.hash)
    values = {
        "Steps": drawing.steps,
        "Sampler": SAMPLERS[drawing.sampler],
        "Schedule type": "Automatic",
        "CFG scale": f"{drawing.cfg_scale:g}",
        "Seed": seed,
        "Size": f"{drawing.width}x{drawing.height}",
        "Model hash": model.hash[:10],
        "Model": model.name,
        "Clip skip": drawing.clip_skip if drawing.clip_skip > 1 else "",
        "RNG": "CPU",
        "Lora hashes": hashes,
    }
    lines.append(", ".join(f"{key}: {_quoted(str(value))}" for key, value in values.items() if str(value)))
    return "\n".join(lines)


def png_bytes(picture: Image.Image, text: str, *, compress_level: int = 6) -> bytes:
    """The picture as PNG with `text` as its infotext."""
    info = PngImagePlugin.PngInfo()
    if _is_latin(text):
        info.add_text(KEY, text)
    else:
        info.add_itxt(KEY, text)
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", pnginfo=info, compress_level=compress_level)
    return buffer.getvalue()


def read_infotext(path: Path) -> str | None:
    """The infotext of a PNG file that can be read to its end; None for any other and for one that has none."""
    try:
        with Image.open(path) as picture:
            picture.load()
            return picture.info.get(KEY)
    except (OSError, SyntaxError, ValueError):
        return None


def _is_latin(text: str) -> bool:
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if any(mark in value for mark in ',:\n"') else value
