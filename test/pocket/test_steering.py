from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from pocket.checkpoint import read_checkpoint
from pocket.nets import encode_text
from pocket.palette import BACKGROUND_COLOURS, COLOURS
from pocket.sample import sample_latents, to_pictures
from pocket.words import load_tokenizer, token_ids

MODEL = Path(__file__).parents[2] / "trainer-py" / "pocket" / "model"
Draw = Callable[[list[str]], np.ndarray]


@pytest.fixture(scope="module")
def draw() -> Draw:
    """Pictures float (n, 128, 128, 3) in 0..255 of prompts, one after another from one seed."""
    unet, vae, text = read_checkpoint(MODEL / "pocket.safetensors")
    tokenizer = load_tokenizer(MODEL / "clip")

    def run(prompts: list[str]) -> np.ndarray:
        with torch.no_grad():
            context = encode_text(text, token_ids(tokenizer, prompts))
            empty = encode_text(text, token_ids(tokenizer, [""]))
        latents = sample_latents(unet, context, empty, seed=3, steps=10)
        return to_pictures(vae, latents).numpy().astype(float)

    return run


def test_the_prompt_chooses_the_colour_of_the_object(draw: Draw) -> None:
    colours = ["red", "blue", "green", "yellow"]
    pictures = draw([f"1 circle, big, {colour} circle, white background, simple background" for colour in colours])
    for colour, picture in zip(colours, pictures, strict=True):
        middle = picture[52:76, 52:76].reshape(-1, 3).mean(axis=0)
        assert _nearest(middle, {name: COLOURS[name] for name in colours}) == colour


def test_the_prompt_chooses_the_background(draw: Draw) -> None:
    colours = ["red", "blue", "green", "yellow"]
    pictures = draw([f"1 star, small, black star, {colour} background, simple background" for colour in colours])
    for colour, picture in zip(colours, pictures, strict=True):
        border = np.concatenate([picture[:10].reshape(-1, 3), picture[:60, :8].reshape(-1, 3)])
        near = {name: BACKGROUND_COLOURS[name] for name in colours}
        assert _nearest(np.median(border, axis=0), near) == colour


def test_the_prompt_chooses_size_and_number(draw: Draw) -> None:
    prompts = ["a big red circle", "a small red circle", "three red circles", "1creature, solo, big, red body"]
    pictures = draw([f"{prompt}, white background, simple background" for prompt in prompts])
    red = (pictures[..., 0] > 150) & (pictures[..., 1] < 120)
    shares = red.mean(axis=(1, 2))
    assert shares[0] > 2 * shares[1]
    assert _runs(red[2].any(axis=0)) == 3
    assert _runs(red[0].any(axis=0)) == 1


def test_the_prompt_chooses_the_object(draw: Draw) -> None:
    names = ["circle", "square", "triangle", "star", "heart"]
    pictures = draw([f"1 {name}, big, red {name}, white background, simple background" for name in names])
    circle, square, triangle, star, heart = (_form(red) for red in (pictures[..., 0] > 150) & (pictures[..., 1] < 120))
    assert star[0] < triangle[0] < circle[0] < square[0] and 0.7 < circle[0] < 0.83
    assert triangle[1] < 0.6 and 0.8 < circle[1] < 1.25 and heart[1] > 1.5


def _form(red: np.ndarray) -> tuple[float, float]:
    """The share of its bounding box that a shape fills, and the area of its upper third over that of its lower one."""
    ys, xs = np.nonzero(red)
    box = red[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    third = len(box) // 3
    return float(box.mean()), float(box[:third].sum() / max(1, box[-third:].sum()))


def _nearest(colour: np.ndarray, names: dict[str, tuple[int, int, int]]) -> str:
    return min(names, key=lambda name: float(np.abs(np.array(names[name]) - colour).sum()))


def _runs(columns: np.ndarray) -> int:
    """How many stretches of at least four columns in a row are set."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], columns.astype(int), [0]])))
    return sum(end - start >= 4 for start, end in zip(edges[::2], edges[1::2], strict=True))
