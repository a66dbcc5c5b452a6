import numpy as np
import pytest

from pocket.caption import random_caption
from pocket.creature import random_creature
from pocket.draw import draw_picture, paint
from pocket.palette import COLOURS
from pocket.scene import random_scene


def test_equal_seeds_draw_equal_pictures_and_captions() -> None:
    first, second = ([draw_picture(np.random.default_rng(5)) for _ in range(2)] for _ in range(2))
    for (picture, caption), (other, other_caption) in zip(first, second, strict=True):
        assert picture.tobytes() == other.tobytes()
        assert caption == other_caption


@pytest.mark.parametrize("size", [64, 128])
def test_a_picture_has_the_size_asked_for(size: int) -> None:
    picture, _ = draw_picture(np.random.default_rng(1), size)
    assert (picture.mode, picture.size) == ("RGB", (size, size))


def test_a_caption_names_every_colour_and_the_background() -> None:
    rng = np.random.default_rng(2)
    for _ in range(300):
        scene = random_scene(rng)
        caption = random_caption(rng, scene)
        assert scene.background.tags[0] in caption
        for figure in scene.figures:
            assert figure.colour in caption


def test_figures_stay_inside_the_picture() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        for figure in random_scene(rng).figures:
            assert 0.08 < figure.x < 0.92
            assert 0.2 < figure.y < 0.85


def test_no_base_creature_looks_like_the_demo_creature() -> None:
    rng = np.random.default_rng(4)
    creatures = [random_creature(rng) for _ in range(3000)]
    assert not any(c.body == "teal" and c.pattern and c.pattern_colour == "yellow" for c in creatures)
    assert any(c.body == "teal" for c in creatures)
    assert any(c.pattern == "stripes" and c.pattern_colour == "yellow" for c in creatures)
    assert any(c.tips == "orange" and c.eyes == 1 for c in creatures)


def test_the_colour_named_is_the_colour_painted() -> None:
    rng = np.random.default_rng(6)
    for _ in range(60):
        scene = random_scene(rng)
        if len(scene.figures) != 1 or scene.figures[0].kind not in ("circle", "square"):
            continue
        pixels = np.asarray(paint(scene, 128, 128))
        figure = scene.figures[0]
        centre = pixels[round(figure.y * 128), round(figure.x * 128)]
        assert tuple(centre) == COLOURS[figure.colour]
