"""What `python -m trainer grid` is asked to draw."""

import json
from dataclasses import dataclass
from pathlib import Path

from trainer.failure import Failure
from trainer.from_json import from_json
from trainer.settings import PREDICTIONS, GridSettings


@dataclass(frozen=True)
class GridLora:
    """A LoRA file and how its row is called; `epoch` names its cells, so it must be unique."""

    file: str
    label: str
    epoch: int


@dataclass(frozen=True)
class GridRequest:
    """Loras × weights × prompts × seeds, and the no-LoRA column once; max_batch 0: what suits the device."""

    base_model_path: str
    loras: tuple[GridLora, ...]
    settings: GridSettings
    width: int
    height: int
    clip_skip: int
    precision: str
    out_dir: str
    max_batch: int
    vae: str = ""
    prediction_type: str = "auto"

    def __post_init__(self) -> None:
        epochs = [lora.epoch for lora in self.loras]
        _expect(len(epochs) > 0, "at least one LoRA")
        _expect(min(epochs) > 0 and len(set(epochs)) == len(epochs), "an epoch number above 0 of its own for each LoRA")
        _expect(self.width % 8 == 0 and self.height % 8 == 0, "a width and height in multiples of 8 pixels")
        _expect(self.settings.sampler in ("ddim", "euler"), "the sampler ddim or euler")
        _expect(self.precision in ("no", "fp16", "bf16"), "a precision of no, fp16 or bf16")
        _expect(self.prediction_type in PREDICTIONS, f"a predictionType of {', '.join(PREDICTIONS)}")
        _expect(len(self.settings.prompts) > 0, "at least one prompt")
        _expect(len(self.settings.seeds) > 0, "at least one seed")


def read_request(path: Path) -> GridRequest:
    """Read and check a request. Raises Failure `bad_request`."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        what = f"Expected JSON in {path}, but it can't be read ({error}); ask for the grid again."
        raise Failure("bad_request", what) from error
    if isinstance(value, dict):
        value["maxBatch"] = value.get("maxBatch") or 0
    try:
        request: GridRequest = from_json(GridRequest, value)
    except Failure as failure:
        raise Failure(
            "bad_request", f"Expected a whole request for a grid in {path}; {failure.message}", failure.details
        ) from failure
    return request


def _expect(condition: bool, expected: str) -> None:
    if not condition:
        raise Failure("bad_request", f"The grid can't be drawn: expected {expected}.")
