"""Draw the cells of a grid: many LoRAs, weights, prompts and seeds in few calls of the models."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from trainer.failure import Failure
from trainer.grid.cell_contexts import CellContexts
from trainer.grid.lora_batch import LoraBatch
from trainer.grid.lora_rows import Row
from trainer.grid.sampler import NoiseModel, cell_noise, guided, sample_latents
from trainer.model.base_model import BaseModel
from trainer.model.predict import size_vector, whole_size
from trainer.model.text import Conditioning
from trainer.side_by_side import side_by_side, threads_side_by_side


@dataclass(frozen=True)
class CellRequest:
    """One picture: index of the LoRA (None: the base model), its weight, the prompt's text and the seed."""

    lora: int | None
    weight: float
    prompt: str
    seed: int

    @property
    def row(self) -> Row:
        return (None, 0.0) if self.lora is None or self.weight == 0 else (self.lora, self.weight)


@dataclass(frozen=True)
class Drawing:
    """What all cells of one grid share; sizes in pixels, multiples of 8."""

    width: int
    height: int
    negative_prompt: str
    sampler: str
    steps: int
    cfg_scale: float
    clip_skip: int


def draw_cells(
    base: BaseModel,
    loras: LoraBatch,
    cells: Sequence[CellRequest],
    drawing: Drawing,
    *,
    max_batch: int | None = None,
) -> Iterator[tuple[int, np.ndarray]]:
    """Pictures (height, width, 3) uint8 with the index of their cell, as they get done; see `draw_pixels`."""
    for index, pixels in draw_pixels(base, loras, cells, drawing, max_batch=max_batch):
        picture = (pixels * 255).round().to(torch.uint8)
        yield index, picture.permute(1, 2, 0).contiguous().numpy()


def draw_pixels(
    base: BaseModel,
    loras: LoraBatch,
    cells: Sequence[CellRequest],
    drawing: Drawing,
    *,
    max_batch: int | None = None,
) -> Iterator[tuple[int, Tensor]]:
    """Pictures (3, height, width) float32 in 0–1 on the CPU with the index of their cell, as they get done.

    `loras` must have been entered. Equal to merging each cell's LoRA at its weight, up to float error. max_batch: cells
    in one UNet call, None: what suits the device. Raises Failure `out_of_memory` when not even one cell fits.
    """
    if not cells:
        return
    order = sorted(range(len(cells)), key=lambda index: _order(cells[index]))
    contexts = CellContexts(base, loras, [(cell.row, cell.prompt) for cell in cells], drawing)
    threads = threads_side_by_side(base.device, _pixels(drawing))
    size = max_batch or _batch_size(base.device, drawing)
    batches = _split(order, size, threads)

    def draw(batch: Sequence[int]) -> list[tuple[int, Tensor]]:
        return _draw_batch(base, loras, contexts, [(index, cells[index]) for index in batch], drawing)

    for done in _run(draw, batches, threads):
        yield from done


def _order(cell: CellRequest) -> tuple[float, ...]:
    lora, weight = cell.row
    return (-1 if lora is None else lora, weight)


@torch.no_grad()
def _draw_batch(
    base: BaseModel,
    loras: LoraBatch,
    contexts: CellContexts,
    batch: list[tuple[int, CellRequest]],
    drawing: Drawing,
) -> list[tuple[int, Tensor]]:
    cells = [cell for _, cell in batch]
    noise = cell_noise([cell.seed for cell in cells], drawing.width, drawing.height).to(base.device)
    rows = [cell.row for cell in cells]
    prompts = contexts([(cell.row, cell.prompt) for cell in cells])
    negative = contexts.negative(rows)
    loras.set_rows(rows, forwards=drawing.steps)
    vectors = _vectors(base, prompts, negative, drawing)
    denoise = guided(base.unet, prompts.context, negative.context, drawing.cfg_scale, vectors)
    model = NoiseModel(base.alphas_cumprod, base.prediction, trailing=base.config.zero_terminal_snr)
    latents = sample_latents(drawing.sampler, denoise, noise, model, drawing.steps)
    loras.set_rows(())
    pictures = decode(base, latents).cpu()
    return [(index, picture) for (index, _), picture in zip(batch, pictures, strict=True)]


def _vectors(
    base: BaseModel, prompts: Conditioning, negative: Conditioning, drawing: Drawing
) -> tuple[Tensor, Tensor] | None:
    sizes = [whole_size(drawing.height, drawing.width)] * len(prompts.context)
    found = [size_vector(base, each.pooled, sizes) for each in (prompts, negative)]
    return None if found[0] is None or found[1] is None else (found[0], found[1])


@torch.no_grad()
def decode(base: BaseModel, latents: Tensor) -> Tensor:
    """Pictures (n, 3, 8h, 8w) in 0–1 of unit-scale latents (n, 4, h, w)."""
    pixels = 64 * latents.shape[2] * latents.shape[3]
    at_once = max(1, (_CPU_PIXELS if base.device.type == "cpu" else _DECODED_PIXELS) // pixels)
    parts = (latents.float() / base.scale_factor).split(at_once)
    pictures = torch.cat([base.vae.decode(part) for part in parts])
    return ((pictures.float() + 1) / 2).clamp(0, 1)


def _batch_size(device: torch.device, drawing: Drawing) -> int:
    pixels = _pixels(drawing)
    if device.type == "cpu":
        return max(1, _CPU_PIXELS // pixels)
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return max(1, min(16, int(free * 0.6) // (pixels * _BYTES_A_PIXEL)))
    return max(1, _OTHER_PIXELS // pixels)


def _pixels(drawing: Drawing) -> int:
    return drawing.width * drawing.height


# Measured: with more, the activations leave a core's cache and nothing gets faster.
_CPU_PIXELS = 8 * 128 * 128
_OTHER_PIXELS = 4 * 512 * 512
_DECODED_PIXELS = 2 * 512 * 512
_BYTES_A_PIXEL = 2000


def _split(order: list[int], size: int, threads: int) -> list[list[int]]:
    # Equal shares, and as many of them as keeps every thread busy to the end.
    count = -(-len(order) // size)
    if count > 1 or threads > 1:
        count = min(len(order), -(-count // threads) * threads)
    bounds = [round(len(order) * part / count) for part in range(count + 1)]
    return [order[start:stop] for start, stop in zip(bounds, bounds[1:], strict=False)]


Done = list[tuple[int, Tensor]]


def _run(draw: Callable[[Sequence[int]], Done], batches: list[list[int]], threads: int) -> Iterator[Done]:
    if threads == 1 or len(batches) == 1:
        for batch in batches:
            yield from _draw_or_halve(draw, batch)
        return
    # One whole batch a thread scales better than all threads on one layer, whose parts are too small to share.
    with side_by_side(min(threads, len(batches)), "draw") as pool:
        waiting: set[Future[Done]] = {pool.submit(draw, batch) for batch in batches}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()


def _draw_or_halve(draw: Callable[[Sequence[int]], Done], batch: list[int]) -> Iterator[Done]:
    try:
        done = draw(batch)
    except torch.OutOfMemoryError as error:
        if len(batch) == 1:
            raise Failure(
                "out_of_memory",
                "Expected room for one grid cell on the device, but its memory is full; close other programs that use "
                "it, or choose a smaller resolution.",
                str(error),
            ) from error
        done = []
    if done:
        yield done
        return
    torch.cuda.empty_cache()
    half = len(batch) // 2
    yield from _draw_or_halve(draw, batch[:half])
    yield from _draw_or_halve(draw, batch[half:])
