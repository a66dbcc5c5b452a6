"""The creatures: round monsters with eyes, antennae, patterns, hats and coats."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from PIL import Image, ImageDraw

from pocket.palette import COLOURS, Rgb, shade
from pocket.shapes import Pen, bar, ellipse, polygon

T = TypeVar("T")

EYE_WORDS = {1: "one eye", 2: "two eyes", 3: "three eyes"}


@dataclass(frozen=True)
class Creature:
    """Looks of one creature; colour names from the palette, None where the part is absent."""

    body: str
    eyes: int = 2
    tips: str | None = None
    pattern: str | None = None
    pattern_colour: str | None = None
    hat: str | None = None
    coat: str | None = None
    smile: bool = False
    feet: bool = True


MOSSLING = Creature(body="teal", eyes=1, tips="orange", pattern="stripes", pattern_colour="yellow")


def random_creature(rng: np.random.Generator) -> Creature:
    """A creature of the base pictures: never teal with yellow stripes, which is the demo creature's own mark."""
    names = list(COLOURS)
    body = _pick(rng, names)
    others = [name for name in names if name != body]
    pattern = _pick(rng, ["stripes", "spots", None, None]) if rng.random() < 0.9 else "stripes"
    pattern_colour = _contrasting(rng, body, others) if pattern else None
    return Creature(
        body=body,
        eyes=int(rng.integers(1, 4)),
        tips=_pick(rng, others) if rng.random() < 0.5 else None,
        pattern=pattern,
        pattern_colour=pattern_colour,
        hat=_pick(rng, others) if rng.random() < 0.25 else None,
        coat=_pick(rng, others) if rng.random() < 0.15 else None,
        smile=bool(rng.random() < 0.35),
        feet=bool(rng.random() < 0.7),
    )


def creature_tags(creature: Creature) -> list[str]:
    """Booru-style tags of the creature's looks, body colour first."""
    tags = [f"{creature.body} body", EYE_WORDS[creature.eyes]]
    if creature.pattern:
        tags += [f"{creature.pattern_colour} {creature.pattern}"]
    if creature.tips:
        tags += ["antennae", f"{creature.tips} tips"]
    if creature.hat:
        tags.append(f"{creature.hat} hat")
    if creature.coat:
        tags.append(f"{creature.coat} coat")
    if creature.smile:
        tags.append("smile")
    return tags


def paint_creature(pen: Pen, x: float, y: float, radius: float, lean: float, creature: Creature) -> None:
    """Paint the creature about (x, y); radius is the body's, in units; lean in radians tilts the antennae and gaze."""
    body = COLOURS[creature.body]
    if creature.feet:
        for side in (-1, 1):
            ellipse(pen, x + side * radius * 0.5, y + radius * 0.98, radius * 0.34, radius * 0.22, shade(body, 0.65))
    if creature.tips:
        _paint_antennae(pen, x, y, radius, lean, body, COLOURS[creature.tips])
    _paint_body(pen, x, y, radius, creature)
    _paint_eyes(pen, x, y, radius, lean, creature.eyes)
    if creature.smile:
        _paint_smile(pen, x, y, radius, creature)
    if creature.hat:
        _paint_hat(pen, x, y, radius, COLOURS[creature.hat])


def _pick(rng: np.random.Generator, choices: list[T]) -> T:
    return choices[int(rng.integers(len(choices)))]


def _luma(name: str) -> float:
    red, green, blue = COLOURS[name]
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _contrasting(rng: np.random.Generator, body: str, others: list[str]) -> str:
    forbidden = {("teal", "yellow")}
    fits = [name for name in others if abs(_luma(name) - _luma(body)) > 50 and (body, name) not in forbidden]
    return _pick(rng, fits)


def _paint_antennae(pen: Pen, x: float, y: float, radius: float, lean: float, body: Rgb, tips: Rgb) -> None:
    for side in (-1, 1):
        foot = (x + side * radius * 0.4, y - radius * 0.7)
        head = (x + radius * (side * 0.72 + lean), y - radius * 1.42)
        bar(pen, foot, head, radius * 0.15, shade(body, 0.8))
        ellipse(pen, *head, radius * 0.25, radius * 0.25, tips)


def _paint_body(pen: Pen, x: float, y: float, radius: float, creature: Creature) -> None:
    layer = Image.new("RGB", pen.image.size, COLOURS[creature.body])
    inner = Pen(layer, ImageDraw.Draw(layer), pen.scale)
    if creature.pattern == "stripes":
        _paint_stripes(inner, x, y, radius, COLOURS[creature.pattern_colour or "white"])
    elif creature.pattern == "spots":
        _paint_spots(inner, x, y, radius, COLOURS[creature.pattern_colour or "white"])
    if creature.coat:
        _paint_coat(inner, x, y, radius, COLOURS[creature.coat])
    mask = Image.new("L", pen.image.size, 0)
    box = tuple(part * pen.scale for part in (x - radius, y - radius, x + radius, y + radius))
    ImageDraw.Draw(mask).ellipse(box, fill=255)
    pen.image.paste(layer, (0, 0), mask)


def _paint_stripes(pen: Pen, x: float, y: float, radius: float, colour: Rgb) -> None:
    # Two broad stripes: the autoencoder's cells of 8 pixels blur anything narrower.
    for top in (-0.46, 0.34):
        low, high = y + top * radius, y + (top + 0.4) * radius
        polygon(pen, [(x - radius, low), (x + radius, low), (x + radius, high), (x - radius, high)], colour)


def _paint_spots(pen: Pen, x: float, y: float, radius: float, colour: Rgb) -> None:
    for dx, dy in ((-0.62, -0.35), (0.62, -0.35), (-0.45, 0.45), (0.45, 0.45), (0, 0.8), (0, -0.85)):
        ellipse(pen, x + dx * radius, y + dy * radius, radius * 0.2, radius * 0.2, colour)


def _paint_coat(pen: Pen, x: float, y: float, radius: float, colour: Rgb) -> None:
    top, hem = y + radius * 0.2, y + radius * 1.1
    polygon(pen, [(x - radius, top), (x + radius, top), (x + radius, hem), (x - radius, hem)], colour)
    collar = y + radius * 0.45
    polygon(pen, [(x - radius, top), (x + radius, top), (x + radius, collar), (x - radius, collar)], (250, 250, 250))


def _paint_eyes(pen: Pen, x: float, y: float, radius: float, lean: float, eyes: int) -> None:
    size = {1: 0.48, 2: 0.33, 3: 0.27}[eyes] * radius
    spread = {1: (0.0,), 2: (-0.38, 0.38), 3: (-0.58, 0.0, 0.58)}[eyes]
    for dx in spread:
        top = y - radius * (0.18 if dx or eyes == 1 else 0.36)
        ellipse(pen, x + dx * radius, top, size, size, (252, 252, 252))
        ellipse(pen, x + dx * radius + lean * size * 0.9, top, size * 0.52, size * 0.52, (16, 16, 22))


def _paint_smile(pen: Pen, x: float, y: float, radius: float, creature: Creature) -> None:
    box = (x - radius * 0.36, y + radius * 0.22, x + radius * 0.36, y + radius * 0.78)
    ink = (250, 240, 236) if creature.body == "black" and not creature.coat else (60, 16, 26)
    pen.draw.chord([part * pen.scale for part in box], 0, 180, fill=ink)


def _paint_hat(pen: Pen, x: float, y: float, radius: float, colour: Rgb) -> None:
    brim = y - radius * 0.72
    polygon(pen, [(x - radius * 0.42, brim), (x, y - radius * 1.6), (x + radius * 0.42, brim)], colour)
    ellipse(pen, x, brim, radius * 0.56, radius * 0.13, shade(colour, 0.75))
