"""The simple things that pictures show, painted flat without outlines."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw

from pocket.palette import COLOURS, Rgb, shade

Point = tuple[float, float]


@dataclass(frozen=True)
class Pen:
    """Where to paint: coordinates given in units are multiplied by `scale` to become pixels of `image`."""

    image: Image.Image
    draw: ImageDraw.ImageDraw
    scale: float


def ellipse(pen: Pen, x: float, y: float, rx: float, ry: float, colour: Rgb) -> None:
    """A filled ellipse about (x, y), in units."""
    box = tuple(part * pen.scale for part in (x - rx, y - ry, x + rx, y + ry))
    pen.draw.ellipse(box, fill=colour)


def polygon(pen: Pen, points: list[Point], colour: Rgb) -> None:
    """A filled polygon, points in units."""
    pen.draw.polygon([(x * pen.scale, y * pen.scale) for x, y in points], fill=colour)


def bar(pen: Pen, start: Point, end: Point, width: float, colour: Rgb) -> None:
    """A thick straight stroke from start to end, in units."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = math.hypot(dx, dy) or 1.0
    nx, ny = -dy / length * width / 2, dx / length * width / 2
    corners = [(start[0] + nx, start[1] + ny), (end[0] + nx, end[1] + ny)]
    corners += [(end[0] - nx, end[1] - ny), (start[0] - nx, start[1] - ny)]
    polygon(pen, corners, colour)


def _turned(x: float, y: float, radius: float, angle: float, corners: list[Point]) -> list[Point]:
    cos, sin = math.cos(angle), math.sin(angle)
    return [(x + radius * (px * cos - py * sin), y + radius * (px * sin + py * cos)) for px, py in corners]


def _circle(pen: Pen, x: float, y: float, radius: float, angle: float, colour: Rgb) -> None:
    ellipse(pen, x, y, radius, radius, colour)


def _square(pen: Pen, x: float, y: float, radius: float, angle: float, colour: Rgb) -> None:
    side = 0.86
    polygon(pen, _turned(x, y, radius, angle, [(-side, -side), (side, -side), (side, side), (-side, side)]), colour)


def _triangle(pen: Pen, x: float, y: float, radius: float, angle: float, colour: Rgb) -> None:
    polygon(pen, _turned(x, y, radius, angle, [(0, -1.05), (1.05, 0.8), (-1.05, 0.8)]), colour)


def _star(pen: Pen, x: float, y: float, radius: float, angle: float, colour: Rgb) -> None:
    reach = [1.12 if index % 2 == 0 else 0.5 for index in range(10)]
    turn = [math.pi * index / 5 - math.pi / 2 for index in range(10)]
    corners = [(r * math.cos(t), r * math.sin(t)) for r, t in zip(reach, turn, strict=True)]
    polygon(pen, _turned(x, y, radius, angle, corners), colour)


def _heart(pen: Pen, x: float, y: float, radius: float, angle: float, colour: Rgb) -> None:
    steps = [2 * math.pi * index / 60 for index in range(60)]
    outline = [
        (math.sin(t) ** 3, -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 16)
        for t in steps
    ]
    polygon(pen, _turned(x, y, radius * 1.08, angle, outline), colour)


def _flower(pen: Pen, x: float, y: float, radius: float, angle: float, colour: Rgb) -> None:
    bar(pen, (x, y), (x, y + radius * 1.35), radius * 0.22, COLOURS["green"])
    ellipse(pen, x + radius * 0.32, y + radius * 1.05, radius * 0.32, radius * 0.17, COLOURS["green"])
    head = y - radius * 0.3
    for index in range(5):
        turn = angle + 2 * math.pi * index / 5
        size = radius * 0.42
        ellipse(pen, x + radius * 0.5 * math.cos(turn), head + radius * 0.5 * math.sin(turn), size, size, colour)
    middle = COLOURS["brown"] if colour[0] > 220 and colour[1] > 180 else COLOURS["yellow"]
    ellipse(pen, x, head, radius * 0.32, radius * 0.32, middle)


def _tree(pen: Pen, x: float, y: float, radius: float, angle: float, colour: Rgb) -> None:
    bar(pen, (x, y), (x, y + radius * 1.15), radius * 0.36, shade(COLOURS["brown"], 0.8))
    ellipse(pen, x - radius * 0.42, y - radius * 0.05, radius * 0.5, radius * 0.48, colour)
    ellipse(pen, x + radius * 0.42, y - radius * 0.05, radius * 0.5, radius * 0.48, colour)
    ellipse(pen, x, y - radius * 0.48, radius * 0.6, radius * 0.58, colour)


def _house(pen: Pen, x: float, y: float, radius: float, angle: float, colour: Rgb) -> None:
    wall = radius * 0.78
    top, bottom = y - radius * 0.15, y + radius
    polygon(pen, [(x - wall, top), (x + wall, top), (x + wall, bottom), (x - wall, bottom)], colour)
    polygon(pen, [(x - radius * 1.05, top), (x, y - radius), (x + radius * 1.05, top)], shade(colour, 0.6))
    door = COLOURS["brown"] if colour[2] > 90 or colour[1] > 130 else COLOURS["yellow"]
    polygon(pen, [(x + dx * radius, yy) for dx, yy in _door(y, radius, bottom)], door)


def _door(y: float, radius: float, bottom: float) -> list[Point]:
    return [(-0.22, y + radius * 0.35), (0.22, y + radius * 0.35), (0.22, bottom), (-0.22, bottom)]


def _fish(pen: Pen, x: float, y: float, radius: float, angle: float, colour: Rgb) -> None:
    side = 1 if angle >= 0 else -1
    tail = [(x - side * radius * 0.5, y), (x - side * radius * 1.2, y - radius * 0.6)]
    polygon(pen, [*tail, (x - side * radius * 1.2, y + radius * 0.6)], shade(colour, 0.7))
    ellipse(pen, x + side * radius * 0.1, y, radius * 0.92, radius * 0.62, colour)
    ellipse(pen, x + side * radius * 0.55, y - radius * 0.12, radius * 0.2, radius * 0.2, (255, 255, 255))
    ellipse(pen, x + side * radius * 0.6, y - radius * 0.12, radius * 0.11, radius * 0.11, (16, 16, 20))


Painter = Callable[[Pen, float, float, float, float, Rgb], None]

SHAPES: dict[str, Painter] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "heart": _heart,
    "flower": _flower,
    "tree": _tree,
    "house": _house,
    "fish": _fish,
}
"""Painters by noun: (pen, x, y, radius, angle in radians, colour), lengths in units."""
