"""One row of a run's grid: an epoch at every weight, prompt and seed, told cell by cell."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from trainer.grid.draw_grid import draw_epoch
from trainer.grid.grid_cells import drawn_weights
from trainer.journal import Journal
from trainer.model.base_model import BaseModel
from trainer.network.lora_weights import LoraWeights
from trainer.plan import Plan


class Drawer(Protocol):
    """What a row is drawn with, and where it is told."""

    @property
    def plan(self) -> Plan: ...
    @property
    def base(self) -> BaseModel: ...
    @property
    def run_dir(self) -> Path: ...
    @property
    def journal(self) -> Journal: ...
    def stage(self, name: str, done: int, total: int) -> None: ...


def draw_epoch_row(
    drawer: Drawer, epoch: int, weights: LoraWeights | None, *, lora_name: str, lora_hash: str, model_hash: str
) -> None:
    """Draw `epoch` into the run's `grid/`; without weights the base model's own cells. Raises Interrupted."""
    settings = drawer.plan.settings
    grid = settings.grid
    stage = "drawingGrid" if weights else "drawingBase"
    total = len(grid.prompts) * len(set(grid.seeds)) * (len(drawn_weights(grid)) if weights else 1)
    done = 0

    def tell(event: Mapping[str, Any]) -> None:
        nonlocal done
        drawer.journal.say(event)
        if event["type"] == "cell":
            done += 1
            drawer.stage(stage, done, total)

    drawer.stage(stage, 0, total)
    draw_epoch(
        drawer.base,
        weights,
        epoch,
        settings=grid,
        prompts=grid.prompts,
        width=settings.resolution.width,
        height=settings.resolution.height,
        clip_skip=settings.clip_skip,
        out_dir=drawer.run_dir / "grid",
        emit=tell,
        lora_name=lora_name,
        lora_hash=lora_hash,
        model_hash=model_hash,
    )
