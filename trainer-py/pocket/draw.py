"""Paint scenes: flat colours, no outlines, anti-aliased by drawing large and averaging down."""

import numpy as np
from PIL import Image, ImageDraw

from pocket.caption import random_caption
from pocket.creature import paint_creature
from pocket.palette import COLOURS
from pocket.scene import Figure, Scene, random_scene
from pocket.shapes import SHAPES, Pen

OVERSAMPLE = 4


def draw_picture(rng: np.random.Generator, size: int = 128) -> tuple[Image.Image, str]:
    """A random base picture, RGB size × size pixels, and a true caption of it."""
    scene = random_scene(rng)
    return paint(scene, size, size), random_caption(rng, scene)


def paint(scene: Scene, width: int, height: int) -> Image.Image:
    """Paint the scene as an RGB picture of that size in pixels; the unit is the shorter side."""
    over = OVERSAMPLE if max(width, height) <= 256 else OVERSAMPLE // 2
    canvas = Image.new("RGB", (width * over, height * over), scene.background.upper)
    draw = ImageDraw.Draw(canvas)
    horizon = round(scene.background.horizon * canvas.height)
    if horizon < canvas.height:
        draw.rectangle((0, horizon, canvas.width, canvas.height), fill=scene.background.lower)
    pen = Pen(canvas, draw, min(width, height) * over)
    for figure in scene.figures:
        _paint_figure(pen, figure)
    return canvas.reduce(over)


def _paint_figure(pen: Pen, figure: Figure) -> None:
    if figure.creature:
        paint_creature(pen, figure.x, figure.y, figure.radius, figure.angle, figure.creature)
    else:
        SHAPES[figure.kind](pen, figure.x, figure.y, figure.radius, figure.angle, COLOURS[figure.colour])
