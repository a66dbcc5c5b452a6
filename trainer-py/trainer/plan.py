"""plan.json and run.json as frozen dataclasses, checked when they are read. Imports nothing heavy."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainer.failure import Failure
from trainer.from_json import expect, from_json, read_json
from trainer.settings import Settings

PLAN_VERSION = 1
Pair = tuple[int, int]


@dataclass(frozen=True)
class PlanImage:
    """One picture as it will be trained; sizes are (width, height) in pixels."""

    id: str
    subset: str
    width: int
    height: int
    bucket: Pair
    resized: Pair
    crop_loss: float
    repeats: int
    caption: str
    tokens: int
    held_out: bool
    is_reg: bool = False
    mask: str = ""

    def __post_init__(self) -> None:
        expect(
            all(side > 0 and side % 8 == 0 for side in self.bucket),
            f"bucket sides in multiples of 8 pixels for {self.id}, found {self.bucket[0]}×{self.bucket[1]}",
        )
        expect(
            self.resized[0] >= self.bucket[0] and self.resized[1] >= self.bucket[1],
            f"{self.id} to cover its bucket after scaling",
        )
        expect(self.repeats >= 1, f"repeats of at least 1 for {self.id}")
        below = ".." not in self.id.split("/") and ".." not in self.mask.split("/")
        expect(below, "pictures that lie below the data set's folder")


@dataclass(frozen=True)
class PlanBucket:
    size: Pair
    images: int
    samples: int
    batches: int


@dataclass(frozen=True)
class PlanBaseModel:
    name: str
    path: str
    kind: str
    resolution: int
    bytes: int
    prediction: str = ""

    def __post_init__(self) -> None:
        expect(self.kind in ("sd1", "sd2", "sdxl"), "a base model of the kind sd1, sd2 or sdxl")


@dataclass(frozen=True)
class PlanDataset:
    name: str
    root: str
    trigger_word: str


@dataclass(frozen=True)
class Plan:
    """Everything a run needs, computed by the server and obeyed here."""

    plan_version: int
    id: str
    created_at: int
    base_model: PlanBaseModel
    dataset: PlanDataset
    settings: Settings
    images: tuple[PlanImage, ...]
    buckets: tuple[PlanBucket, ...]
    steps_per_epoch: int
    total_steps: int
    samples_per_epoch: int
    max_caption_tokens: int
    files: tuple[str, ...]
    generic_prompts: tuple[str, ...]

    def __post_init__(self) -> None:
        expect(self.steps_per_epoch >= 1, "at least one step an epoch")
        expect(
            self.total_steps == self.steps_per_epoch * self.settings.epochs,
            f"totalSteps to be {self.settings.epochs} epochs of {self.steps_per_epoch} steps, found {self.total_steps}",
        )
        batches = sum(-(-count // self.settings.batch_size) for count in self._samples().values())
        steps = -(-batches // self.settings.gradient_accumulation_steps)
        expect(self.steps_per_epoch == steps, f"{steps} steps an epoch by its pictures, found {self.steps_per_epoch}")
        expect(len(self.files) == self.settings.epochs, f"one file name for each of the {self.settings.epochs} epochs")
        expect(len(self.generic_prompts) > 0, "at least one of genericPrompts, by which drift is measured")
        expect(any(not image.held_out for image in self.images), "at least one picture that is not held out")

    @property
    def prediction(self) -> str:
        """What the base model predicts as far as the plan says: "epsilon", "v" or, where its file must tell, ""."""
        told = self.settings.prediction_type
        return self.base_model.prediction if told == "auto" else told

    @property
    def trained_images(self) -> tuple[PlanImage, ...]:
        return tuple(image for image in self.images if not image.held_out)

    @property
    def held_out_images(self) -> tuple[PlanImage, ...]:
        return tuple(image for image in self.images if image.held_out)

    def _samples(self) -> Counter[Pair]:
        samples: Counter[Pair] = Counter()
        for image in self.trained_images:
            samples[image.bucket] += image.repeats
        return samples

    @classmethod
    def from_json(cls, value: Any) -> "Plan":  # noqa: ANN401
        """The plan in a parsed plan.json. Raises Failure `plan_version` or `bad_plan`."""
        version = value.get("planVersion") if isinstance(value, dict) else None
        if version != PLAN_VERSION:
            raise Failure(
                "plan_version",
                f"Expected a plan of version {PLAN_VERSION}, found version {version}; "
                "make the plan anew with this version of Train LoRA.",
            )
        return from_json(cls, value)


@dataclass(frozen=True)
class Run:
    """Where a run writes; frozen at its start. cache_dir: what all runs share; "": only this run's own folder.

    extra_epochs: by how many it was extended after its plan was made.
    """

    id: str
    plan_id: str
    lora_dir: str
    output_name: str
    files: tuple[str, ...]
    created_at: int
    cache_dir: str = ""
    extra_epochs: int = 0

    def __post_init__(self) -> None:
        plain = all(Path(name).name == name and name.endswith(".safetensors") for name in self.files)
        expect(plain, "plain .safetensors file names in run.json")


def read_plan(path: Path) -> Plan:
    """Read and check a plan.json. Raises Failure `bad_plan` or `plan_version`."""
    return Plan.from_json(read_json(path))


def read_run(path: Path, plan: Plan) -> Run:
    """Read the run.json beside a plan. Raises Failure `bad_plan` when it belongs to another plan."""
    run = from_json(Run, read_json(path))
    expect(run.plan_id == plan.id, f"run.json to belong to plan {plan.id}, found {run.plan_id}")
    epochs = len(plan.files) + run.extra_epochs
    expect(len(run.files) == epochs, f"{epochs} file names in run.json, found {len(run.files)}")
    return run


def extended(plan: Plan, run: Run) -> Plan:
    """The plan with the epochs that a run was extended by; the schedule is that of the longer run."""
    if not run.extra_epochs:
        return plan
    epochs = plan.settings.epochs + run.extra_epochs
    settings = replace(plan.settings, epochs=epochs)
    return replace(plan, settings=settings, total_steps=plan.steps_per_epoch * epochs, files=run.files)
