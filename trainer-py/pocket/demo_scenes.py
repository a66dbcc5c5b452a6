"""What the demo pictures show: the mossling in varied places, sizes, company and light, and the facts of each file."""

from dataclasses import dataclass, replace

import numpy as np

from pocket.creature import MOSSLING, Creature
from pocket.palette import BACKGROUND_COLOURS, COLOURS, SCENES
from pocket.scene import Background, Figure, Scene, plain_background
from pocket.shapes import SHAPES

PICTURES = 35
TRANSPARENT = (4, 11, 17, 24, 30)
WINTER_COAT = (6, 13, 21, 28)
LONG = 19
HIDDEN_COLOURS = ((30, 140, 60), (150, 30, 120), (20, 40, 160), (200, 120, 20), (0, 0, 0))

_SQUARES = ((512, 512), (448, 448), (480, 512), (512, 480), (384, 416), (640, 600), (320, 336), (576, 576))
_OTHERS = ((640, 448), (448, 640), (576, 400), (384, 544), (600, 400), (400, 600))


@dataclass(frozen=True)
class DemoPicture:
    """One picture to paint: its size in pixels, what it shows, its visible facts as tags."""

    width: int
    height: int
    scene: Scene
    tags: tuple[str, ...]
    transparent: bool
    winter_coat: bool


def demo_pictures(rng: np.random.Generator) -> list[DemoPicture]:
    """The 35 pictures, of which one is later copied as the near-duplicate."""
    return [_demo_picture(rng, index) for index in range(PICTURES)]


def _demo_picture(rng: np.random.Generator, index: int) -> DemoPicture:
    width, height = _size(rng, index)
    looks = _looks(rng, index)
    background = _background(rng, index)
    count = 2 if index == 26 else 1
    companion = count == 1 and index % 7 == 2 and index not in WINTER_COAT
    figures, tags = _figures(rng, width, height, looks, count, companion)
    tags = [f"{count}creature" if count == 1 else f"{count}creatures", *(["solo"] if count == 1 else []), *tags]
    tags += [tag for tag in ("smile",) if looks.smile] + ([f"{looks.hat} hat"] if looks.hat else [])
    transparent = index in TRANSPARENT
    tags += ["transparent background"] if transparent else list(background.tags)
    return DemoPicture(width, height, Scene(background, figures, None), tuple(tags), transparent, index in WINTER_COAT)


def _size(rng: np.random.Generator, index: int) -> tuple[int, int]:
    if index == LONG:
        return 640, 200
    if index % 5 == 3:
        return _OTHERS[int(rng.integers(len(_OTHERS)))]
    return _SQUARES[int(rng.integers(len(_SQUARES)))]


def _looks(rng: np.random.Generator, index: int) -> Creature:
    looks = replace(MOSSLING, smile=bool(rng.random() < 0.4) and index % 3 == 0)
    if index in WINTER_COAT:
        return replace(looks, coat="red")
    return replace(looks, hat=("red", "purple", "white")[index // 9 % 3]) if index % 9 == 7 else looks


def _background(rng: np.random.Generator, index: int) -> Background:
    if index in TRANSPARENT:
        return Background((), HIDDEN_COLOURS[TRANSPARENT.index(index)], (0, 0, 0), 1.0)
    if index % 3 == 1:
        backdrop = SCENES[list(SCENES)[(index // 3) % len(SCENES)]]
        return Background(backdrop.tags, backdrop.upper, backdrop.lower, float(rng.uniform(0.58, 0.75)))
    names = [name for name in BACKGROUND_COLOURS if name != "aqua"]
    return plain_background(names[(index * 5 + 2) % len(names)], float(rng.uniform(0.65, 0.85)) if index % 2 else 1.0)


def _figures(
    rng: np.random.Generator, width: int, height: int, looks: Creature, count: int, companion: bool
) -> tuple[tuple[Figure, ...], list[str]]:
    unit = min(width, height)
    wide, high = width / unit, height / unit
    alone = count == 1 and not companion
    radius = float(rng.uniform(0.25, 0.32) if alone else rng.uniform(0.19, 0.22))
    middle = high * 0.5 + radius * 0.22
    places = [wide / 2 + float(rng.uniform(-0.12, 0.12))] if alone else [wide * 0.29, wide * 0.73]
    shift = max(0.0, min(0.12, high / 2 - radius * 1.45))
    y = middle + float(rng.uniform(-shift, shift))
    figures = [
        Figure("creature", looks.body, x, y + 0.02 * side, radius, float(rng.uniform(-0.28, 0.28)), looks)
        for side, x in enumerate(places[:count])
    ]
    if not companion:
        return tuple(figures), []
    kind = list(SHAPES)[int(rng.integers(len(SHAPES)))]
    colour = [name for name in COLOURS if name not in ("teal", "grey")][int(rng.integers(len(COLOURS) - 2))]
    friend = Figure(kind, colour, places[1], y + float(rng.uniform(-0.08, 0.08)), radius * 0.9, 0.1)
    return (*figures, friend), [f"{colour} {kind}"]
