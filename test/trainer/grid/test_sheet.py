from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainer.grid.grid_cells import cell_name
from trainer.grid.infotext import ModelTag
from trainer.grid.sample import Drawing
from trainer.grid.sheet import Sheet, SheetRow, draw_sheet, write_sheet
from trainer.grid.sheet_font import font_for
from trainer.grid.sheet_text import text_width, wrapped

COLOURS = {0: (200, 0, 0), 1: (0, 160, 0), 2: (0, 0, 220)}


def _sheet(**changes: object) -> Sheet:
    drawing = Drawing(128, 96, "", "ddim", 20, 7.0, 1)
    sheet = {
        "rows": (SheetRow(1, "Epoch 1"), SheetRow(2, "Epoch 2")),
        "weights": (0.4, 1.0),
        "prompts": ("a red circle",),
        "seeds": (1,),
        "drawing": drawing,
        "model": ModelTag("pocket"),
    }
    return Sheet(**{**sheet, **changes})  # type: ignore[arg-type]


def _cells(folder: Path, sheet: Sheet) -> None:
    (folder / "cells").mkdir()
    for epoch in (0, *(row.epoch for row in sheet.rows)):
        for weight in sheet.weights if epoch else (0.0,):
            for prompt in range(len(sheet.prompts)):
                for seed in sheet.seeds:
                    picture = Image.new("RGB", (sheet.drawing.width, sheet.drawing.height), COLOURS[epoch])
                    picture.save(folder / "cells" / cell_name(epoch, weight, prompt, seed))


def _count(picture: Image.Image, colour: tuple[int, int, int]) -> int:
    return int((np.asarray(picture) == np.array(colour, np.uint8)).all(axis=-1).sum())


def test_small_cells_are_shown_at_twice_their_size_and_the_base_column_in_every_row(tmp_path: Path) -> None:
    sheet = _sheet()
    _cells(tmp_path, sheet)
    picture = draw_sheet(sheet, tmp_path)
    area = 256 * 192
    assert [_count(picture, COLOURS[epoch]) for epoch in (0, 1, 2)] == [2 * area, 2 * area, 2 * area]


def test_large_cells_keep_their_size(tmp_path: Path) -> None:
    sheet = _sheet(drawing=Drawing(512, 512, "", "ddim", 20, 7.0, 1), rows=(SheetRow(1, "Epoch 1"),))
    _cells(tmp_path, sheet)
    assert _count(draw_sheet(sheet, tmp_path), COLOURS[1]) == 2 * 512 * 512


def test_the_base_column_stands_at_the_left_and_epochs_go_down(tmp_path: Path) -> None:
    sheet = _sheet()
    _cells(tmp_path, sheet)
    pixels = np.asarray(draw_sheet(sheet, tmp_path))
    left, _, right = (np.argwhere((pixels == np.array(COLOURS[e], np.uint8)).all(axis=-1)) for e in (0, 1, 2))
    first, second = (np.argwhere((pixels == np.array(COLOURS[e], np.uint8)).all(axis=-1)) for e in (1, 2))
    assert left[:, 1].max() < first[:, 1].min()
    assert first[:, 0].max() < second[:, 0].min()
    assert right[:, 1].max() < pixels.shape[1] - 20


@pytest.mark.parametrize("seeds", [(1, 2), (1, 2, 3, 4, 5)], ids=["beside each other", "in blocks"])
def test_every_seed_and_prompt_is_on_the_sheet(tmp_path: Path, seeds: tuple[int, ...]) -> None:
    sheet = _sheet(seeds=seeds, prompts=("a red circle", "a blue square"), rows=(SheetRow(1, "Epoch 1"),))
    _cells(tmp_path, sheet)
    assert _count(draw_sheet(sheet, tmp_path), COLOURS[1]) == 2 * 2 * len(seeds) * 256 * 192


def test_cells_that_are_not_drawn_yet_leave_a_pale_place(tmp_path: Path) -> None:
    sheet = _sheet()
    picture = draw_sheet(sheet, tmp_path)
    assert _count(picture, (0xF3, 0xF4, 0xF6)) == 6 * 256 * 192


def test_long_prompts_and_labels_wrap_and_stay_inside(tmp_path: Path) -> None:
    long = "a creature with a hat, " * 20 + "x" * 300
    sheet = _sheet(prompts=(long,), rows=(SheetRow(1, "a-very-long-file-name-of-somebody-000012"),))
    picture = np.asarray(draw_sheet(sheet, tmp_path))
    assert (picture[:, :10] == 255).all() and (picture[:, -10:] == 255).all()


def test_the_sheet_is_written_whole_with_an_infotext_of_its_own(tmp_path: Path) -> None:
    path = write_sheet(_sheet(), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["sheet.png"]
    with Image.open(path) as picture:
        text = picture.info["parameters"]
    assert text.startswith("a red circle\nSteps: 20, Sampler: DDIM")
    assert text.endswith('Grid weights: "0.4, 1", Grid epochs: "1, 2"')


def test_wrapped_lines_are_no_wider_than_asked_and_lose_nothing() -> None:
    text = "some words and a" + "verylongword" * 9 + " end"
    lines = wrapped(text, 18, 200, "#000000").lines
    assert all(text_width(line, 18) <= 200 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("text", ["зелёный квадрат", "Ünïcode – dash", "plain"])
def test_letters_that_a_font_lacks_are_never_drawn_as_boxes(text: str) -> None:
    font, written = font_for(text, 20)
    box = bytes(font.getmask("\U0010ffff"))
    assert all(bytes(font.getmask(letter)) != box for letter in written if letter.strip())


def test_letters_that_no_font_knows_are_spelled() -> None:
    _, written = font_for("a \U0001d4d0", 20)
    assert written in ("a U+1D4D0", "a \U0001d4d0")
