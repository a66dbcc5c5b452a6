"""The whole grid as one labelled picture: weights across, epochs down, the no-LoRA column at the left."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from trainer.atomic_file import replace
from trainer.grid.grid_cells import cell_name
from trainer.grid.infotext import ModelTag, infotext, png_bytes
from trainer.grid.sample import Drawing
from trainer.grid.sampler import SAMPLERS
from trainer.grid.sheet_text import Text, draw_text, text_width, wrapped

SHEET = "sheet.png"

_PAPER, _INK, _QUIET, _RULE, _HOLE = "#ffffff", "#1f2328", "#656d76", "#d8dee4", "#f3f4f6"
_GAP = 8
_SMALL = 160
_SEEDS_BESIDE = 3
_LEAST_WIDTH = 640
_MAX_PIXELS = 120_000_000


@dataclass(frozen=True)
class SheetRow:
    epoch: int
    label: str


@dataclass(frozen=True)
class Sheet:
    """What the sheet shows; cells that are not drawn yet are left as pale squares."""

    rows: tuple[SheetRow, ...]
    weights: tuple[float, ...]
    prompts: tuple[str, ...]
    seeds: tuple[int, ...]
    drawing: Drawing
    model: ModelTag


def write_sheet(sheet: Sheet, out_dir: Path) -> Path:
    """Draw `sheet.png` below `out_dir` from its cells, with an infotext of its own. Raises Failure `disk_full`."""
    picture = draw_sheet(sheet, out_dir)
    path = out_dir / SHEET
    replace(path, [png_bytes(picture, _sheet_infotext(sheet), compress_level=4)])
    return path


def draw_sheet(sheet: Sheet, out_dir: Path) -> Image.Image:
    """The sheet as a picture; cells up to 160 pixels are shown at twice their size."""
    layout = _layout(sheet, 2.0 if max(sheet.drawing.width, sheet.drawing.height) <= _SMALL else 1.0)
    if layout.width * layout.height > _MAX_PIXELS:
        layout = _layout(sheet, (_MAX_PIXELS / (layout.width * layout.height)) ** 0.5)
    picture = Image.new("RGB", (layout.width, layout.height), _PAPER)
    draw = ImageDraw.Draw(picture)
    y = layout.margin
    for text in layout.title:
        draw_text(draw, text, layout.margin, y)
        y += text.height
    for block in layout.blocks:
        y = _draw_block(picture, draw, layout, block, y + layout.unit, out_dir)
    return picture


@dataclass(frozen=True)
class _Block:
    """One prompt with some of the seeds."""

    prompt: int
    seeds: tuple[int, ...]
    heading: tuple[Text, ...]


@dataclass(frozen=True)
class _Layout:
    """Sizes in pixels; `columns` holds weight and left edge."""

    sheet: Sheet
    cell: tuple[int, int]
    unit: int
    margin: int
    columns: tuple[tuple[float, int], ...]
    labels: tuple[Text, ...]
    title: tuple[Text, ...]
    blocks: tuple[_Block, ...]
    width: int

    @property
    def column_head(self) -> int:
        return round(self.unit * (3.2 if len(self.blocks[0].seeds) > 1 else 2))

    @property
    def height(self) -> int:
        rows = len(self.sheet.rows) * (self.cell[1] + _GAP)
        heads = sum(text.height for block in self.blocks for text in block.heading)
        title = sum(text.height for text in self.title)
        return self.margin * 2 + title + heads + len(self.blocks) * (rows + self.column_head + 3 * self.unit)


def _layout(sheet: Sheet, scale: float) -> _Layout:
    drawing = sheet.drawing
    cell = (max(8, round(drawing.width * scale)), max(8, round(drawing.height * scale)))
    unit = min(28, max(15, round(cell[0] / 15)))
    margin = unit * 2
    beside = sheet.seeds if len(sheet.seeds) <= _SEEDS_BESIDE else sheet.seeds[:1]
    labels = tuple(wrapped(row.label, unit, 13 * unit, _INK) for row in sheet.rows)
    left = margin + max([text_width("weight", unit), *(text.width for text in labels)]) + unit
    step = len(beside) * (cell[0] + _GAP) + _GAP * (len(beside) > 1)
    first = left + step + 2 * _GAP  # the no-LoRA column stands a little apart
    columns = ((0.0, left), *((weight, first + index * step) for index, weight in enumerate(sheet.weights)))
    width = max(columns[-1][1] + step - _GAP + margin, _LEAST_WIDTH)
    inner = width - 2 * margin
    return _Layout(
        sheet=sheet,
        cell=cell,
        unit=unit,
        margin=margin,
        columns=columns,
        labels=labels,
        title=_title(sheet, unit, inner),
        blocks=tuple(_blocks(sheet, beside, unit, inner)),
        width=width,
    )


def _title(sheet: Sheet, unit: int, width: int) -> tuple[Text, ...]:
    drawing = sheet.drawing
    facts = [
        f"{SAMPLERS[drawing.sampler]}, {drawing.steps} steps",
        f"CFG {drawing.cfg_scale:g}",
        f"{drawing.width} x {drawing.height}",
        f"clip skip {drawing.clip_skip}",
        f"seed {', '.join(map(str, sheet.seeds))}",
    ]
    if drawing.negative_prompt:
        facts.append(f"negative prompt: {drawing.negative_prompt}")
    name = wrapped(f"Epochs and weights on {sheet.model.name}", round(unit * 1.5), width, _INK)
    return name, wrapped(" · ".join(facts), unit, width, _QUIET)


def _blocks(sheet: Sheet, beside: tuple[int, ...], unit: int, width: int) -> list[_Block]:
    blocks = []
    for prompt, words in enumerate(sheet.prompts):
        heading = wrapped(words or "(empty prompt)", round(unit * 1.2), width, _INK)
        if beside == sheet.seeds:
            blocks.append(_Block(prompt, beside, (heading,)))
            continue
        for index, seed in enumerate(sheet.seeds):
            named = wrapped(f"seed {seed}", unit, width, _QUIET)
            blocks.append(_Block(prompt, (seed,), (heading, named) if index == 0 else (named,)))
    return blocks


def _draw_block(
    picture: Image.Image, draw: ImageDraw.ImageDraw, layout: _Layout, block: _Block, y: int, out_dir: Path
) -> int:
    draw.line((layout.margin, y, layout.width - layout.margin, y), fill=_RULE)
    y += layout.unit
    for text in block.heading:
        draw_text(draw, text, layout.margin, y)
        y += text.height
    y += layout.unit // 2
    _draw_column_heads(draw, layout, block, y)
    y += layout.column_head
    for row, label in zip(layout.sheet.rows, layout.labels, strict=True):
        middle = y + (layout.cell[1] - label.height) // 2
        draw_text(draw, label, layout.columns[0][1] - layout.unit, middle, "right")
        for weight, x in layout.columns:
            for index, seed in enumerate(block.seeds):
                name = cell_name(row.epoch if weight else 0, weight, block.prompt, seed)
                place = (x + index * (layout.cell[0] + _GAP), y)
                _paste(picture, draw, out_dir / "cells" / name, place, layout.cell)
        y += layout.cell[1] + _GAP
    return y


def _draw_column_heads(draw: ImageDraw.ImageDraw, layout: _Layout, block: _Block, y: int) -> None:
    unit, (cell_width, _) = layout.unit, layout.cell
    draw_text(draw, Text(("weight",), unit, _QUIET), layout.columns[0][1] - unit, y + unit // 3, "right")
    for weight, x in layout.columns:
        span = len(block.seeds) * (cell_width + _GAP) - _GAP
        head = Text((f"{weight:g}",), unit, _INK) if weight else Text(("no LoRA",), unit, _QUIET)
        draw_text(draw, head, x + span // 2, y + unit // 3, "centre")
        if len(block.seeds) > 1:
            for index, seed in enumerate(block.seeds):
                middle = x + index * (cell_width + _GAP) + cell_width // 2
                small = Text((f"seed {seed}",), round(unit * 0.8), _QUIET)
                draw_text(draw, small, middle, y + round(unit * 1.8), "centre")


def _paste(
    picture: Image.Image, draw: ImageDraw.ImageDraw, file: Path, place: tuple[int, int], size: tuple[int, int]
) -> None:
    try:
        with Image.open(file) as cell:
            shown = cell.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    except OSError:
        draw.rectangle((*place, place[0] + size[0] - 1, place[1] + size[1] - 1), fill=_HOLE)
        return
    # A hairline around it, or a picture with a white ground would have no edge.
    draw.rectangle((place[0] - 1, place[1] - 1, place[0] + size[0], place[1] + size[1]), outline=_RULE)
    picture.paste(shown, place)


def _sheet_infotext(sheet: Sheet) -> str:
    text = infotext(sheet.prompts[0], [], sheet.model, sheet.drawing, sheet.seeds[0])
    weights = ", ".join(f"{weight:g}" for weight in sheet.weights)
    epochs = ", ".join(str(row.epoch) for row in sheet.rows)
    return f'{text}, Grid weights: "{weights}", Grid epochs: "{epochs}"'
