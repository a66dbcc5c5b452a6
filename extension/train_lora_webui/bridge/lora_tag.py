"""
Pure functions on `<lora:…>` tags of a prompt, in the WebUI's syntax `<lora:NAME[:te[:unet[:dyn]]]>`, also `te=` and
`unet=`.
"""

from __future__ import annotations

import re
from typing import Callable

TAG = re.compile(r"<lora:([^:>]+)((?::[^>]*)?)>")

IsOurs = Callable[[str], bool]


def lora_tag(name: str, weight: float) -> str:
    """The tag for a file name without extension. `name` must hold none of `: > = ,`."""
    return f"<lora:{name}:{number(weight)}>"


def with_tag(prompt: str, tag: str) -> str:
    """The prompt with the tag at its end, where it moves no word into another chunk."""
    return f"{prompt} {tag}" if prompt and not prompt[-1].isspace() else f"{prompt}{tag}"


def first_name(prompt: str, is_ours: IsOurs) -> str | None:
    """Name in the first tag for which `is_ours` holds."""
    return next((tag.group(1) for tag in TAG.finditer(prompt) if is_ours(tag.group(1))), None)


def with_name(prompt: str, is_ours: IsOurs, name: str, weight: float = 1.0) -> str:
    """Puts `name` into the first tag that is ours and keeps its weights; without one, a tag of `weight` is appended."""
    found = _first(prompt, is_ours)
    if found is None:
        return with_tag(prompt, lora_tag(name, weight))
    return _replaced(prompt, found, f"<lora:{name}{found.group(2)}>")


def with_weight(prompt: str, is_ours: IsOurs, weight: float, name: str) -> str:
    """
    Sets the weight of the first tag that is ours and keeps the ratio of its parts; without one, a tag of `name` is
    appended.
    """
    found = _first(prompt, is_ours)
    if found is None:
        return with_tag(prompt, lora_tag(name, weight))
    items = found.group(2).split(":")[1:]
    return _replaced(prompt, found, ":".join([f"<lora:{found.group(1)}", *_scaled(items, weight)]) + ">")


def number(value: float) -> str:
    """As short as it can be told: `0.8`, `1`, `-0.25`."""
    return f"{round(value, 8):.8f}".rstrip("0").rstrip(".") if abs(value) >= 5e-9 else "0"


def _scaled(items: list[str], weight: float) -> list[str]:
    """
    The items behind the name for a new weight: text encoder = weight, UNet in its old ratio to it, the rest as it
    was.
    """
    places = _multipliers(items)
    text_encoder, unet = _value(items, places[0], 1.0), _value(items, places[1], None)
    scaled = list(items)
    first = places[0]
    if first is None:
        scaled.insert(0, number(weight))
    else:
        scaled[first] = _written(items[first], weight)
    if unet is not None and places[1] is not None:
        ratio = unet / text_encoder if text_encoder else 1.0
        place = places[1] + (1 if first is None else 0)
        scaled[place] = _written(items[places[1]], weight * ratio)
    return scaled


def _multipliers(items: list[str]) -> tuple[int | None, int | None]:
    """
    Where the text encoder's and the UNet's multipliers stand; a named one wins over one by position, as in the WebUI.
    """
    positional = [index for index, item in enumerate(items) if "=" not in item]
    named = {item.split("=", 1)[0]: index for index, item in enumerate(items) if "=" in item}
    text_encoder = named.get("te", positional[0] if positional else None)
    return text_encoder, named.get("unet", positional[1] if len(positional) > 1 else None)


def _value(items: list[str], place: int | None, otherwise: float | None) -> float | None:
    if place is None:
        return otherwise
    try:
        return float(items[place].split("=", 1)[-1])
    except ValueError:
        return otherwise


def _written(item: str, value: float) -> str:
    return f"{item.split('=', 1)[0]}={number(value)}" if "=" in item else number(value)


def _first(prompt: str, is_ours: IsOurs) -> re.Match[str] | None:
    return next((tag for tag in TAG.finditer(prompt) if is_ours(tag.group(1))), None)


def _replaced(prompt: str, found: re.Match[str], tag: str) -> str:
    return prompt[: found.start()] + tag + prompt[found.end() :]
