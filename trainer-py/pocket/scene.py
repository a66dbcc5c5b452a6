"""What a picture shows, before it is painted: figures, their places and the background."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from pocket.creature import Creature, random_creature
from pocket.palette import BACKGROUND_COLOURS, COLOURS, SCENES, Rgb, shade
from pocket.shapes import SHAPES


@dataclass(frozen=True)
class Figure:
    """One thing: a shape's noun with its colour, or a creature; place and radius in units of the picture's width."""

    kind: str
    colour: str
    x: float
    y: float
    radius: float
    angle: float
    creature: Creature | None = None


@dataclass(frozen=True)
class Background:
    """Two tones that meet at `horizon` (0 top, 1 bottom of the picture); `tags` as captions name them."""

    tags: tuple[str, ...]
    upper: Rgb
    lower: Rgb
    horizon: float


@dataclass(frozen=True)
class Scene:
    """Background and figures from back to front; `size` is "big", "small" or None where captions stay silent."""

    background: Background
    figures: tuple[Figure, ...]
    size: str | None


T = TypeVar("T")

CREATURE_SHARE = 0.32


def random_scene(rng: np.random.Generator) -> Scene:
    """A random base picture: one to three equal things, two different ones, or creatures alone or in company."""
    count = int(rng.choice([1, 2, 3], p=[0.62, 0.26, 0.12]))
    size = _pick(rng, ["big", "small", None]) if count < 3 else None
    kinds = _random_kinds(rng, count)
    background = random_background(rng, {colour for _, colour, _ in kinds})
    return Scene(background, place(rng, kinds, size), size)


def random_background(rng: np.random.Generator, taken: set[str]) -> Background:
    """A named background whose name is none of the colours `taken` by figures."""
    if rng.random() < 0.25:
        backdrop = SCENES[_pick(rng, list(SCENES))]
        return Background(backdrop.tags, backdrop.upper, backdrop.lower, float(rng.uniform(0.55, 0.75)))
    free = [name for name in BACKGROUND_COLOURS if name not in taken and not (name == "aqua" and "teal" in taken)]
    return plain_background(_pick(rng, free), float(rng.uniform(0.62, 0.85)) if rng.random() < 0.6 else 1.0)


def plain_background(name: str, horizon: float) -> Background:
    """The background colour of that name; below the horizon a darker tone of it, none where horizon is 1."""
    colour = BACKGROUND_COLOURS[name]
    if name == "white" or horizon >= 1.0:
        return Background((f"{name} background", "simple background"), colour, colour, 1.0)
    return Background((f"{name} background",), colour, shade(colour, 1.5 if name == "black" else 0.84), horizon)


def place(
    rng: np.random.Generator, kinds: list[tuple[str, str, Creature | None]], size: str | None
) -> tuple[Figure, ...]:
    """Spread the things over the picture so that they do not overlap; a creature gets room for its antennae."""
    count = len(kinds)
    low, high = _radius_range(count, size)
    centres = {1: (0.5,), 2: (0.27, 0.73), 3: (0.18, 0.5, 0.82)}[count]
    figures = []
    radius = float(rng.uniform(low, high))
    for (kind, colour, creature), centre in zip(kinds, centres, strict=True):
        room = 0.84 if creature else 1.0
        reach = max(0.0, 0.46 - radius * room) if count == 1 else 0.03
        x = centre + float(rng.uniform(-1, 1)) * min(reach, 0.2)
        lift = max(0.0, 0.44 - radius * (1.3 if creature else 1.1))
        y = (0.57 if creature else 0.5) + float(rng.uniform(-1, 1)) * min(lift, 0.16)
        angle = float(rng.uniform(-0.28, 0.28))
        figures.append(Figure(kind, colour, x, y, radius * room, angle, creature))
    return tuple(figures)


def _radius_range(count: int, size: str | None) -> tuple[float, float]:
    if count == 1:
        return {"big": (0.31, 0.38), "small": (0.15, 0.19), None: (0.23, 0.28)}[size]
    if count == 2:
        return {"big": (0.2, 0.23), "small": (0.125, 0.15), None: (0.16, 0.19)}[size]
    return (0.125, 0.15)


def _random_kinds(rng: np.random.Generator, count: int) -> list[tuple[str, str, Creature | None]]:
    first = _random_kind(rng)
    if count == 1 or (first[2] is None and rng.random() < 0.6):
        return [first] * count
    if count == 2:
        second = _random_kind(rng)
        while second[0] == first[0] or second[1] == first[1]:
            second = _random_kind(rng)
        return [first, second]
    return [first] * count


def _random_kind(rng: np.random.Generator) -> tuple[str, str, Creature | None]:
    if rng.random() < CREATURE_SHARE:
        creature = random_creature(rng)
        return "creature", creature.body, creature
    return _pick(rng, list(SHAPES)), _pick(rng, list(COLOURS)), None


def _pick(rng: np.random.Generator, choices: list[T]) -> T:
    return choices[int(rng.integers(len(choices)))]
