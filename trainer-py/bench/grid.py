"""`python -m bench.grid`: a grid drawn in batches of many LoRAs against merging each cell's LoRA into the weights."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from bench.merge import merged
from bench.random_lora import random_lora
from trainer.grid.lora_batch import LoraBatch
from trainer.grid.sample import CellRequest, Drawing, draw_pixels
from trainer.model.base_model import BaseModel, load_base_model
from trainer.network.lora_weights import LoraWeights
from trainer.network.read_lora import read_lora
from trainer.network.targets import lora_targets

POCKET = Path(__file__).resolve().parent.parent / "pocket" / "model" / "pocket.safetensors"
EPOCHS = 6
WEIGHTS = (0.4, 0.6, 0.8, 1.0, 1.2)
PROMPT = "a big red circle with a blue hat, green background"


def main(arguments: Sequence[str]) -> None:
    """Print one JSON line: mean seconds of both ways, their ratio, and the largest difference of a pixel in 0–1.

    Both draw the no-LoRA cell once and take the same threads. Merging is also timed with one thread, because small
    layers gain little from a second one.
    """
    options = _options(arguments)
    torch.set_num_threads(options.threads)
    base = load_base_model(options.base, device=torch.device("cpu"), dtype=torch.float32, parts=_PARTS)
    targets = lora_targets(base.unet, base.text_encoders)
    loras = [read_lora(file) for file in options.loras] or _loras(targets)
    drawing = Drawing(options.size, options.size, "", "ddim", options.steps, 4.0, 1)
    cells = [CellRequest(None, 0.0, PROMPT, 1)]
    cells += [CellRequest(index, weight, PROMPT, 1) for index in range(len(loras)) for weight in WEIGHTS]
    work = (base, targets, loras, cells)
    seconds, max_diff = _time_both(work, drawing, options.rounds)
    torch.set_num_threads(1)
    _, one_thread = _timed(_merged, work, drawing)
    result = {
        "bench": "grid",
        "epochs": len(loras),
        "weights": len(WEIGHTS),
        "cells": len(cells),
        "size": options.size,
        "steps": options.steps,
        "threads": options.threads,
        "batchedSeconds": round(seconds["batched"], 3),
        "mergedSeconds": round(seconds["merged"], 3),
        "ratio": round(seconds["merged"] / seconds["batched"], 3),
        "mergedOneThreadSeconds": round(one_thread, 3),
        "maxDiff": max_diff,
    }
    sys.stdout.write(json.dumps(result) + "\n")


Work = tuple[BaseModel, dict[str, nn.Module], Sequence[LoraWeights], Sequence[CellRequest]]
Way = Callable[[BaseModel, dict[str, nn.Module], Sequence[LoraWeights], Sequence[CellRequest], Drawing], list[Tensor]]
_PARTS = frozenset({"unet", "text_encoder", "vae_decoder"})


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.grid", description=__doc__)
    parser.add_argument("--base", type=Path, default=POCKET, help="checkpoint to draw with")
    parser.add_argument(
        "--loras", type=Path, nargs="*", default=[], help="LoRA files, one an epoch (random ones if none)"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--size", type=int, default=128, help="side of a cell in pixels")
    return parser.parse_args(arguments)


def _loras(targets: dict[str, nn.Module]) -> list[LoraWeights]:
    sizes = (0.1 + 0.05 * epoch for epoch in range(EPOCHS))
    return [random_lora(targets, rank=8, alpha=8, seed=index, size=size) for index, size in enumerate(sizes)]


def _time_both(work: Work, drawing: Drawing, rounds: int) -> tuple[dict[str, float], float]:
    # Mean seconds of each way, and the largest difference between their pictures.
    ways: dict[str, Way] = {"batched": _batched, "merged": _merged}
    # Kernels are built when a shape is first met; that belongs to neither side.
    short = Drawing(**{**drawing.__dict__, "steps": 2})
    _batched(*work, short)
    _merged(*work[:3], work[3][:2], short)
    seconds = dict.fromkeys(ways, 0.0)
    pictures: dict[str, list[Tensor]] = {}
    for turn in range(rounds):
        for name in sorted(ways, reverse=bool(turn % 2)):
            pictures[name], spent = _timed(ways[name], work, drawing)
            seconds[name] += spent / rounds
    pairs = zip(pictures["batched"], pictures["merged"], strict=True)
    return seconds, max(float((a - b).abs().max()) for a, b in pairs)


def _timed(way: Way, work: Work, drawing: Drawing) -> tuple[list[Tensor], float]:
    started = time.perf_counter()
    pictures = way(*work, drawing)
    return pictures, time.perf_counter() - started


def _batched(
    base: BaseModel,
    targets: dict[str, nn.Module],
    loras: Sequence[LoraWeights],
    cells: Sequence[CellRequest],
    drawing: Drawing,
) -> list[Tensor]:
    with LoraBatch(targets, loras) as batch:
        found = dict(draw_pixels(base, batch, cells, drawing))
    return [found[index] for index in range(len(cells))]


def _merged(
    base: BaseModel,
    targets: dict[str, nn.Module],
    loras: Sequence[LoraWeights],
    cells: Sequence[CellRequest],
    drawing: Drawing,
) -> list[Tensor]:
    pictures = []
    for cell in cells:
        with merged(targets, None if cell.lora is None else loras[cell.lora], cell.weight):
            alone = CellRequest(None, 0.0, cell.prompt, cell.seed)
            pictures += [picture for _, picture in draw_pixels(base, LoraBatch({}, []), [alone], drawing)]
    return pictures


if __name__ == "__main__":
    main(sys.argv[1:])
