"""Grids of epochs × weights: one row after each epoch of a training, or all rows for a request."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from trainer.device import DTYPES, pick_device
from trainer.events import emit as emit_line
from trainer.events import emit_stage
from trainer.grid.grid_cells import Emit, GridRow, draw_grid_cells, drawn_weights, grid_cells
from trainer.grid.grid_request import GridLora, GridRequest, read_request
from trainer.grid.infotext import ModelTag
from trainer.grid.sample import Drawing
from trainer.grid.sheet import SHEET, Sheet, SheetRow, write_sheet
from trainer.model.base_model import BaseModel, load_base_model
from trainer.model.file_hash import FileHash
from trainer.network.lora_weights import LoraWeights
from trainer.network.read_lora import read_lora, read_lora_metadata
from trainer.peak_memory import peak_rss_mb
from trainer.settings import GridSettings

_PARTS = frozenset({"unet", "text_encoder", "vae_decoder"})
_BYTES_AT_ONCE = 1 << 30


def draw_epoch(
    base: BaseModel,
    lora: LoraWeights | None,
    epoch: int,
    *,
    settings: GridSettings,
    prompts: Sequence[str],
    width: int,
    height: int,
    clip_skip: int,
    out_dir: Path,
    emit: Emit,
    lora_name: str = "",
    lora_hash: str = "",
    model_hash: str = "",
    max_batch: int | None = None,
) -> None:
    """Draw one epoch's cells below `out_dir`, emit a `cell` event for each, then draw the sheet anew and say so.

    Epoch 0 with lora None is the no-LoRA column of all epochs. A training LoRA that is hooked into the base model must
    be disabled meanwhile. The hashes are sshs_model_hash and the base file's sha256, for the infotext.
    Raises Failure `out_of_memory` or `disk_full`.
    """
    drawing = _drawing(settings, width, height, clip_skip)
    row = GridRow(epoch, lora, lora_name or f"epoch-{epoch}", lora_hash)
    cells = list(grid_cells([row], settings, prompts, drawing, ModelTag(base.name, model_hash)))
    draw_grid_cells(base, [row], cells, drawing, out_dir=out_dir, emit=emit, max_batch=max_batch)
    if epoch > 0:
        rows = [SheetRow(number, f"Epoch {number}") for number in range(1, epoch + 1)]
        write_sheet(_sheet(rows, settings, prompts, drawing, ModelTag(base.name, model_hash)), out_dir)
        emit({"type": "sheet", "epoch": epoch, "file": SHEET})


def run_grid(request_path: Path) -> None:
    """Draw a GridRequest: the base model's column, then all LoRAs in shared batches, then the sheet. Emits events.

    Raises Failure for a base model or a LoRA that can't be used, `bad_request` for a request that can't be read.
    """
    started = time.perf_counter()
    request = read_request(request_path)
    rows = [_read_row(lora) for lora in request.loras]
    base, model = _load(request)
    drawing = _drawing(request.settings, request.width, request.height, request.clip_skip)
    for stage, groups in (("drawingBase", [[GridRow(0, None)]]), ("drawingGrid", _groups(rows))):
        _draw_groups(base, stage, groups, request, drawing, model)
    sheet_rows = [SheetRow(lora.epoch, lora.label) for lora in request.loras]
    sheet = _sheet(sheet_rows, request.settings, request.settings.prompts, drawing, model)
    write_sheet(sheet, Path(request.out_dir))
    emit_line({"type": "sheet", "epoch": max(row.epoch for row in rows), "file": SHEET})
    emit_line(
        {
            "type": "finished",
            "step": 0,
            "train_seconds": 0.0,
            "compute_seconds": 0.0,
            "grid_seconds": time.perf_counter() - started,
            "peak_rss_mb": peak_rss_mb(),
        }
    )


def _load(request: GridRequest) -> tuple[BaseModel, ModelTag]:
    emit_stage("loadingModel", 0, 1)
    path = Path(request.base_model_path)
    base_hash = FileHash(path) if path.exists() else None
    device = pick_device()
    # Half precision has no fast arithmetic on a CPU.
    dtype = torch.float32 if device.type == "cpu" and request.precision == "fp16" else DTYPES[request.precision]
    base = load_base_model(
        path,
        device=device,
        dtype=dtype,
        parts=_PARTS,
        clip_skip=request.clip_skip,
        vae_path=Path(request.vae) if request.vae else None,
        prediction=None if request.prediction_type == "auto" else request.prediction_type,
    )
    emit_stage("loadingModel", 1, 1)
    return base, ModelTag(base.name, base_hash.new if base_hash else "")


def _read_row(lora: GridLora) -> GridRow:
    path = Path(lora.file)
    return GridRow(lora.epoch, read_lora(path), path.stem, read_lora_metadata(path).get("sshs_model_hash", ""))


def _draw_groups(
    base: BaseModel,
    stage: str,
    groups: Sequence[Sequence[GridRow]],
    request: GridRequest,
    drawing: Drawing,
    model: ModelTag,
) -> None:
    settings = request.settings
    cells = [list(grid_cells(rows, settings, settings.prompts, drawing, model)) for rows in groups]
    total, done = sum(map(len, cells)), 0

    def tell(event: Mapping[str, Any]) -> None:
        nonlocal done
        emit_line(event)
        if event["type"] == "cell":
            done += 1
            emit_stage(stage, done, total)

    emit_stage(stage, 0, total)
    for rows, some in zip(groups, cells, strict=True):
        draw_grid_cells(
            base, rows, some, drawing, out_dir=Path(request.out_dir), emit=tell, max_batch=request.max_batch or None
        )


def _groups(rows: Sequence[GridRow]) -> list[list[GridRow]]:
    # Many large files would fill the device if they were all stacked at once.
    groups: list[list[GridRow]] = [[]]
    size = 0
    for row in rows:
        assert row.lora is not None
        size += sum(part.nbytes for module in row.lora.modules.values() for part in module.tensors().values())
        if groups[-1] and size > _BYTES_AT_ONCE:
            groups.append([])
            size = 0
        groups[-1].append(row)
    return groups


def _drawing(settings: GridSettings, width: int, height: int, clip_skip: int) -> Drawing:
    return Drawing(
        width=width,
        height=height,
        negative_prompt=settings.negative_prompt,
        sampler=settings.sampler,
        steps=settings.steps,
        cfg_scale=settings.cfg_scale,
        clip_skip=clip_skip,
    )


def _sheet(
    rows: Sequence[SheetRow], settings: GridSettings, prompts: Sequence[str], drawing: Drawing, model: ModelTag
) -> Sheet:
    return Sheet(
        rows=tuple(rows),
        weights=tuple(drawn_weights(settings)),
        prompts=tuple(prompts),
        seeds=tuple(dict.fromkeys(settings.seeds)),
        drawing=drawing,
        model=model,
    )
