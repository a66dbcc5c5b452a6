"""Colours and backgrounds by name, as captions call them."""

from typing import NamedTuple

Rgb = tuple[int, int, int]


class Backdrop(NamedTuple):
    """A two-tone background: caption tags, colour above and below the horizon."""

    tags: tuple[str, ...]
    upper: Rgb
    lower: Rgb


COLOURS: dict[str, Rgb] = {
    "red": (222, 40, 46),
    "orange": (245, 134, 28),
    "yellow": (250, 214, 40),
    "green": (56, 166, 62),
    "teal": (18, 140, 140),
    "blue": (36, 92, 214),
    "purple": (130, 58, 180),
    "pink": (246, 122, 176),
    "brown": (130, 80, 42),
    "black": (26, 26, 32),
    "white": (250, 250, 250),
    "grey": (134, 138, 146),
}

# Softer than the object colours, so that a red thing still shows on "red background".
BACKGROUND_COLOURS: dict[str, Rgb] = {
    "red": (236, 130, 124),
    "orange": (250, 190, 126),
    "yellow": (252, 236, 150),
    "green": (158, 216, 146),
    "aqua": (140, 220, 216),
    "blue": (136, 186, 244),
    "purple": (190, 156, 226),
    "pink": (252, 194, 216),
    "brown": (186, 150, 118),
    "black": (48, 48, 58),
    "white": (255, 255, 255),
    "grey": (190, 194, 200),
}

SCENES: dict[str, Backdrop] = {
    "night": Backdrop(("night", "outdoors"), (28, 34, 84), (44, 40, 60)),
    "grass": Backdrop(("grass", "blue sky", "outdoors"), (134, 200, 250), (96, 180, 74)),
    "beach": Backdrop(("beach", "sand", "outdoors"), (110, 204, 236), (240, 216, 152)),
    "snow": Backdrop(("snow", "outdoors"), (184, 204, 226), (246, 250, 254)),
    "sunset": Backdrop(("sunset", "outdoors"), (250, 160, 96), (116, 66, 106)),
    "desert": Backdrop(("desert", "outdoors"), (252, 222, 170), (214, 150, 86)),
    "ocean": Backdrop(("ocean", "outdoors"), (170, 220, 250), (30, 106, 186)),
    "indoors": Backdrop(("indoors",), (238, 222, 200), (168, 112, 72)),
}


def shade(colour: Rgb, factor: float) -> Rgb:
    """The colour multiplied by factor (< 1 darker), clipped to 0..255."""
    red, green, blue = (max(0, min(255, round(part * factor))) for part in colour)
    return red, green, blue
