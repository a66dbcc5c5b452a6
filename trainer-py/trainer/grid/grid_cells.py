"""The cells of a grid as files: named by what they show, drawn when they are missing, kept when they are the same."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from trainer.atomic_file import replace
from trainer.grid.infotext import LoraTag, ModelTag, infotext, png_bytes, read_infotext
from trainer.grid.lora_batch import LoraBatch
from trainer.grid.sample import CellRequest, Drawing, draw_cells
from trainer.model.base_model import BaseModel
from trainer.network.lora_weights import LoraWeights
from trainer.network.targets import lora_targets
from trainer.settings import GridSettings

Emit = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class GridRow:
    """One LoRA of a grid, with its name in prompts and its sshs_model_hash; epoch 0 with lora None: the base model."""

    epoch: int
    lora: LoraWeights | None
    name: str = ""
    hash: str = ""


@dataclass(frozen=True)
class GridCell:
    """One picture of a grid and the infotext by which a file is known to show it."""

    epoch: int
    weight: float
    prompt: int
    seed: int
    request: CellRequest
    text: str

    @property
    def file(self) -> str:
        return f"cells/{cell_name(self.epoch, self.weight, self.prompt, self.seed)}"


def cell_name(epoch: int, weight: float, prompt: int, seed: int) -> str:
    """File name of a cell."""
    return f"e{epoch}-w{weight:g}-p{prompt}-s{seed}.png"


def drawn_weights(settings: GridSettings) -> list[float]:
    """The columns beside the no-LoRA one, each once; weight 0 is that column itself."""
    return [weight for weight in dict.fromkeys(settings.weights) if weight != 0]


def grid_cells(
    rows: Sequence[GridRow], settings: GridSettings, prompts: Sequence[str], drawing: Drawing, model: ModelTag
) -> Iterator[GridCell]:
    """All cells of rows × weights × prompts × seeds, row by row."""
    for index, row in enumerate(rows):
        for weight in [0.0] if row.lora is None else drawn_weights(settings):
            tags = [] if row.lora is None else [LoraTag(row.name, weight, row.hash)]
            for prompt, words in enumerate(prompts):
                for seed in dict.fromkeys(settings.seeds):
                    request = CellRequest(None if row.lora is None else index, weight, words, seed)
                    text = infotext(words, tags, model, drawing, seed)
                    yield GridCell(row.epoch, weight, prompt, seed, request, text)


def draw_grid_cells(
    base: BaseModel,
    rows: Sequence[GridRow],
    cells: Sequence[GridCell],
    drawing: Drawing,
    *,
    out_dir: Path,
    emit: Emit,
    max_batch: int | None = None,
) -> None:
    """Bring every cell's file below `out_dir` into being and emit one `cell` event for each.

    A file that already shows the cell is kept. Layers that the base model lacks are said as a `warning`.
    Raises Failure `lora_corrupt`, `out_of_memory` or `disk_full`.
    """
    missing = []
    for cell in cells:
        if read_infotext(out_dir / cell.file) == cell.text:
            emit(_event(cell))
        else:
            missing.append(cell)
    if not missing:
        return
    targets = lora_targets(base.unet, base.text_encoders, convolutions=True)
    loras = LoraBatch(targets, [row.lora or LoraWeights({}) for row in rows])
    _warn(rows, loras.unknown, emit)
    with loras:
        pictures = draw_cells(base, loras, [cell.request for cell in missing], drawing, max_batch=max_batch)
        for index, picture in pictures:
            cell = missing[index]
            replace(out_dir / cell.file, [png_bytes(Image.fromarray(picture), cell.text)])
            emit(_event(cell))


def _event(cell: GridCell) -> dict[str, Any]:
    return {
        "type": "cell",
        "epoch": cell.epoch,
        "weight": cell.weight,
        "prompt": cell.prompt,
        "seed": cell.seed,
        "file": cell.file,
    }


def _warn(rows: Sequence[GridRow], unknown: Sequence[Sequence[str]], emit: Emit) -> None:
    for row, names in zip(rows, unknown, strict=True):
        if not names or row.lora is None:
            continue
        if len(names) == len(row.lora.modules):
            what = "none of its layers, so it changes nothing"
        else:
            what = f"{len(names)} of its {len(row.lora.modules)} layers missing, which have no effect"
        message = f"{row.name} was made for another base model: this one has {what} ({names[0]} …)."
        emit({"type": "warning", "message": message})
