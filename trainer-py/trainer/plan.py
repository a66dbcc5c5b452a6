"""plan.json and run.json as frozen dataclasses, checked when they are read. Imports nothing heavy."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.failure import Failure
from trainer.from_json import expect, from_json, read_json

PLAN_VERSION = 1
Pair = tuple[int, int]


@dataclass(frozen=True)
class Size:
    width: int
    height: int


@dataclass(frozen=True)
class GridSettings:
    """What is drawn after each epoch; the no-LoRA column is always there and is not listed in `weights`."""

    enabled: bool
    weights: tuple[float, ...]
    prompts: tuple[str, ...]
    negative_prompt: str
    seeds: tuple[int, ...]
    sampler: str
    steps: int
    cfg_scale: float


@dataclass(frozen=True)
class Settings:
    """The user's settings after planning, in kohya's sense; no question is left open."""

    output_name: str
    subject: str
    resolution: Size
    min_bucket_reso: int
    max_bucket_reso: int
    bucket_reso_steps: int
    bucket_no_upscale: bool
    target_steps: int
    epochs: int
    batch_size: int
    network_dim: int
    network_alpha: float
    unet_lr: float
    text_encoder_lr: float
    optimizer: str
    lr_scheduler: str
    lr_warmup_steps: int
    weight_decay: float
    max_grad_norm: float
    mixed_precision: str
    save_precision: str
    seed: int
    shuffle_caption: bool
    keep_tokens: int
    clip_skip: int
    max_token_length: int
    held_out_images: int
    grid: GridSettings

    def __post_init__(self) -> None:
        expect(
            self.epochs >= 1 and self.batch_size >= 1 and self.network_dim >= 1,
            "epochs, batchSize and networkDim of at least 1",
        )
        expect(self.network_alpha > 0, "a networkAlpha above 0")
        expect(
            self.unet_lr > 0 or self.text_encoder_lr > 0, "unetLr or textEncoderLr above 0, or nothing would be trained"
        )
        expect(self.optimizer == "AdamW", "the optimizer AdamW")
        expect(self.lr_scheduler in ("constant", "cosine"), "an lrScheduler of constant or cosine")
        expect(self.mixed_precision in ("no", "fp16", "bf16"), "a mixedPrecision of no, fp16 or bf16")
        expect(self.save_precision in ("float", "fp16", "bf16"), "a savePrecision of float, fp16 or bf16")
        expect(self.max_token_length in (75, 150, 225), "a maxTokenLength of 75, 150 or 225")
        expect(self.clip_skip >= 1, "a clipSkip of at least 1")


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
        expect(".." not in self.id.split("/"), "pictures that lie below the data set's folder")


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
        expect(
            self.steps_per_epoch == batches, f"{batches} steps an epoch by its pictures, found {self.steps_per_epoch}"
        )
        expect(len(self.files) == self.settings.epochs, f"one file name for each of the {self.settings.epochs} epochs")
        expect(any(not image.held_out for image in self.images), "at least one picture that is not held out")

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
    """Where a run writes; frozen at its start."""

    id: str
    plan_id: str
    lora_dir: str
    output_name: str
    files: tuple[str, ...]
    created_at: int

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
    expect(len(run.files) == len(plan.files), f"{len(plan.files)} file names in run.json, found {len(run.files)}")
    return run
