"""Golden values: pixels counted by hand, and Pillow's own filters written out once more in plain numpy."""

import numpy as np
import pytest
from PIL import Image

from tagger.preprocess import preprocess

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def picture_of(rows: list[list[tuple[int, ...]]], mode: str = "RGB") -> Image.Image:
    return Image.fromarray(np.array(rows, np.uint8), mode)


def test_wd_turns_colours_round_and_pads_with_white_above_and_below() -> None:
    wide = picture_of([[RED, GREEN, BLUE, (10, 20, 30)], [BLUE, BLUE, BLUE, BLUE]])
    assert preprocess(wide, "wd", 4).tolist() == [
        [[255, 255, 255]] * 4,
        [[0, 0, 255], [0, 255, 0], [255, 0, 0], [30, 20, 10]],
        [[255, 0, 0]] * 4,
        [[255, 255, 255]] * 4,
    ]


def test_wd_puts_the_odd_row_of_padding_at_the_end() -> None:
    high = picture_of([[RED], [RED], [RED], [RED]])
    assert preprocess(high, "wd", 4)[0].tolist() == [[255, 255, 255], [0, 0, 255], [255, 255, 255], [255, 255, 255]]


@pytest.mark.parametrize("size", [(24, 24), (8, 24), (5, 3), (12, 7)])
def test_wd_resizes_bicubically_after_padding(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), np.uint8)
    side = max(size)
    square = np.full((side, side, 3), 255, np.float64)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = pixels
    expected = _bicubic(square, 8)[:, :, ::-1]
    assert np.abs(preprocess(Image.fromarray(pixels), "wd", 8) - expected).max() <= 1.01


@pytest.mark.parametrize(
    "transparent",
    [
        picture_of([[(10, 20, 30, 0)] * 4] * 4, "RGBA"),
        Image.merge("LA", (Image.new("L", (4, 4), 7), Image.new("L", (4, 4), 0))),
    ],
)
def test_wd_and_cl_see_white_through_transparent_pixels(transparent: Image.Image) -> None:
    assert (preprocess(transparent, "wd", 4) == 255).all()
    assert (preprocess(transparent, "cl", 4) == 1).all()


def test_half_transparent_pixels_are_mixed_with_white() -> None:
    half = picture_of([[(0, 100, 200, 128)] * 4] * 4, "RGBA")
    assert preprocess(half, "wd", 4)[0, 0].tolist() == [227, 177, 127]


def test_a_palette_with_a_transparent_colour_is_white_there() -> None:
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 9, 9, 9])
    palette.info["transparency"] = 1
    assert (preprocess(palette, "wd", 4) == 255).all()


def test_sixteen_bits_are_read_by_their_upper_half() -> None:
    deep = Image.fromarray(np.full((4, 4), 0x80FF, np.uint16))
    assert (preprocess(deep, "wd", 4) == 0x80).all()


def test_cl_gets_numbers_of_minus_one_to_one() -> None:
    black_and_more = picture_of([[(0, 0, 0), (255, 255, 255)], [(0, 51, 102), (204, 153, 255)]])
    expected = [[[-1, -1, -1], [1, 1, 1]], [[-0.2, -0.6, -1], [1, 0.2, 0.6]]]
    assert np.allclose(preprocess(black_and_more, "cl", 2), expected, atol=1e-6)


def test_deepdanbooru_averages_areas_and_repeats_the_edge() -> None:
    wide = picture_of([[RED, GREEN, BLUE, BLUE], [BLUE, RED, WHITE, WHITE]])
    first, second = [127.5 / 255, 63.75 / 255, 63.75 / 255], [127.5 / 255, 127.5 / 255, 1]
    found = preprocess(wide, "deepdanbooru", 2)
    assert found.shape == (2, 2, 3)
    assert np.allclose(found, [[first, second]] * 2, atol=0.5 / 255 + 1e-6)


def test_deepdanbooru_keeps_the_shape_and_centres_it() -> None:
    high = picture_of([[RED], [GREEN], [BLUE], [WHITE]])
    rows = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]
    assert preprocess(high, "deepdanbooru", 4).tolist() == [[row] * 4 for row in rows]


def test_deepdanbooru_sees_the_colours_below_transparency_as_its_own_decoder_does() -> None:
    hidden = picture_of([[(255, 0, 51, 0)] * 2] * 2, "RGBA")
    assert np.allclose(preprocess(hidden, "deepdanbooru", 2), [[[1, 0, 0.2]] * 2] * 2)


def _bicubic(pixels: np.ndarray, side: int) -> np.ndarray:
    """Catmull-Rom as Pillow does it: the kernel widens when shrinking, each direction is rounded to whole levels."""
    across = np.einsum("xi,yic->yxc", _weights(pixels.shape[1], side), pixels).round().clip(0, 255)
    return np.einsum("yi,ixc->yxc", _weights(pixels.shape[0], side), across).round().clip(0, 255)


def _weights(source: int, target: int) -> np.ndarray:
    scale = source / target
    widening = max(scale, 1)
    weights = np.zeros((target, source))
    for index in range(target):
        centre = (index + 0.5) * scale
        for other in range(source):
            weights[index, other] = _kernel(abs(other + 0.5 - centre) / widening)
        weights[index] /= weights[index].sum()
    return weights


def _kernel(distance: float) -> float:
    a = -0.5
    if distance < 1:
        return (a + 2) * distance**3 - (a + 3) * distance**2 + 1
    if distance < 2:
        return a * (distance**3 - 5 * distance**2 + 8 * distance - 4)
    return 0.0
