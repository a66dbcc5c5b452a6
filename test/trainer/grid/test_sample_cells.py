from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from bench.merge import merged
from bench.random_lora import random_lora
from drawing_base import all_targets, tiny_base
from trainer.grid.lora_batch import LoraBatch
from trainer.grid.sample import CellRequest, Drawing, draw_cells, draw_pixels
from trainer.model.clip_tokenizer import token_ids
from trainer.model.text import CHUNK
from trainer.network.lora_weights import LoraWeights

LONG = ", ".join(f"a red circle number {number}" for number in range(30))
DRAWING = Drawing(width=64, height=48, negative_prompt="blurry", sampler="ddim", steps=3, cfg_scale=4, clip_skip=2)


def _loras() -> list[LoraWeights]:
    targets = all_targets(tiny_base())
    return [random_lora(targets, rank=rank, alpha=rank / 2, seed=rank, size=0.1) for rank in (4, 7, 2)]


def _draw(
    cells: Sequence[CellRequest],
    drawing: Drawing = DRAWING,
    loras: Sequence[LoraWeights] = (),
    max_batch: int | None = None,
) -> list[Tensor]:
    base = tiny_base()
    with LoraBatch(all_targets(base), loras) as batch:
        found = dict(draw_pixels(base, batch, cells, drawing, max_batch=max_batch))
    assert sorted(found) == list(range(len(cells)))
    return [found[index] for index in range(len(cells))]


def _merged_one_by_one(
    cells: Sequence[CellRequest], loras: Sequence[LoraWeights], drawing: Drawing = DRAWING
) -> list[Tensor]:
    pictures = []
    for cell in cells:
        lora = None if cell.lora is None else loras[cell.lora]
        with merged(all_targets(tiny_base()), lora, cell.weight):
            pictures += _draw([CellRequest(None, 0, cell.prompt, cell.seed)], drawing)
    return pictures


def _cells(prompt: str = "a blue square") -> list[CellRequest]:
    rows = [(None, 0.0), (0, 0.5), (0, -0.8), (1, 1.0), (1, 1.7), (2, 0.3), (2, 0.0)]
    return [CellRequest(lora, weight, prompt, 1 + index % 2) for index, (lora, weight) in enumerate(rows)]


def _difference(some: list[Tensor], others: list[Tensor]) -> float:
    return max(float((a - b).abs().max()) for a, b in zip(some, others, strict=True))


@pytest.mark.parametrize("sampler", ["ddim", "euler"])
def test_a_cell_equals_merging_its_lora_at_its_weight_and_drawing_it_alone(sampler: str) -> None:
    drawing = Drawing(**{**DRAWING.__dict__, "sampler": sampler})
    loras = _loras()
    cells = _cells()
    found = _draw(cells, drawing, loras)
    assert _difference(found, _merged_one_by_one(cells, loras, drawing)) < 1e-3
    assert _difference(found[:1], found[4:5]) > 0.02, "the LoRA must be seen, or equality proves nothing"


def test_prompts_of_several_chunks_equal_merged_weights_too() -> None:
    loras = _loras()
    cells = [CellRequest(0, 1.2, LONG, 3), CellRequest(1, 0.6, "short", 3), CellRequest(None, 0, "short", 3)]
    base = tiny_base()
    assert len(token_ids([LONG])[0]) > CHUNK
    found = _draw(cells, loras=loras)
    # Guidance pads all contexts of a drawing to the longest one, so the cells are drawn alone beside a long prompt.
    for index, cell in enumerate(cells):
        with merged(all_targets(base), None if cell.lora is None else loras[cell.lora], cell.weight):
            alone = _draw([CellRequest(None, 0, cell.prompt, 3), CellRequest(None, 0, LONG, 3)])[0]
        assert _difference([found[index]], [alone]) < 1e-3


def test_a_picture_does_not_depend_on_the_batch_it_was_drawn_in() -> None:
    loras = _loras()
    cells = _cells()
    together = _draw(cells, loras=loras, max_batch=20)
    assert _difference(together, _draw(cells, loras=loras, max_batch=1)) < 1e-4


def test_the_order_of_the_cells_is_free() -> None:
    loras = _loras()
    cells = _cells()
    shuffled = [cells[index] for index in np.random.default_rng(0).permutation(len(cells))]
    straight = dict(zip(cells, _draw(cells, loras=loras), strict=True))
    for cell, picture in zip(shuffled, _draw(shuffled, loras=loras), strict=True):
        assert _difference([picture], [straight[cell]]) < 1e-4


def test_several_threads_draw_what_one_draws_and_leave_their_number_as_it_was() -> None:
    loras = _loras()
    cells = _cells()
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        alone = _draw(cells, loras=loras)
        torch.set_num_threads(2)
        both = _draw(cells, loras=loras)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert _difference(alone, both) < 1e-4


def test_guidance_of_one_needs_no_negative_prompt() -> None:
    some = Drawing(**{**DRAWING.__dict__, "cfg_scale": 1})
    other = Drawing(**{**some.__dict__, "negative_prompt": "something else"})
    cells = [CellRequest(None, 0, "a blue square", 1)]
    assert torch.equal(_draw(cells, some)[0], _draw(cells, other)[0])


def test_drawing_leaves_the_global_random_numbers_alone() -> None:
    torch.manual_seed(9)
    expected = torch.rand(3)
    torch.manual_seed(9)
    _draw(_cells()[:2])
    assert torch.equal(torch.rand(3), expected)


def test_pictures_are_rows_of_rgb_bytes() -> None:
    base = tiny_base()
    with LoraBatch({}, []) as batch:
        ((index, picture),) = draw_cells(base, batch, [CellRequest(None, 0, "a blue square", 1)], DRAWING)
    assert index == 0
    assert picture.shape == (48, 64, 3)
    assert picture.dtype == np.uint8
    assert picture.std() > 1
