"""plan.json and run.json as frozen dataclasses, checked when they are read. Imports nothing heavy."""

import dataclasses
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from trainer.failure import Failure

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
        _expect(
            self.epochs >= 1 and self.batch_size >= 1 and self.network_dim >= 1,
            "epochs, batchSize and networkDim of at least 1",
        )
        _expect(self.network_alpha > 0, "a networkAlpha above 0")
        _expect(
            self.unet_lr > 0 or self.text_encoder_lr > 0, "unetLr or textEncoderLr above 0, or nothing would be trained"
        )
        _expect(self.optimizer == "AdamW", "the optimizer AdamW")
        _expect(self.lr_scheduler in ("constant", "cosine"), "an lrScheduler of constant or cosine")
        _expect(self.mixed_precision in ("no", "fp16", "bf16"), "a mixedPrecision of no, fp16 or bf16")
        _expect(self.save_precision in ("float", "fp16", "bf16"), "a savePrecision of float, fp16 or bf16")
        _expect(self.max_token_length in (75, 150, 225), "a maxTokenLength of 75, 150 or 225")
        _expect(self.clip_skip >= 1, "a clipSkip of at least 1")


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
        _expect(
            all(side > 0 and side % 8 == 0 for side in self.bucket),
            f"bucket sides in multiples of 8 pixels for {self.id}, found {self.bucket[0]}×{self.bucket[1]}",
        )
        _expect(
            self.resized[0] >= self.bucket[0] and self.resized[1] >= self.bucket[1],
            f"{self.id} to cover its bucket after scaling",
        )
        _expect(self.repeats >= 1, f"repeats of at least 1 for {self.id}")
        _expect(".." not in self.id.split("/"), "pictures that lie below the data set's folder")


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
        _expect(self.steps_per_epoch >= 1, "at least one step an epoch")
        _expect(
            self.total_steps == self.steps_per_epoch * self.settings.epochs,
            f"totalSteps to be {self.settings.epochs} epochs of {self.steps_per_epoch} steps, found {self.total_steps}",
        )
        batches = sum(-(-count // self.settings.batch_size) for count in self._samples().values())
        _expect(
            self.steps_per_epoch == batches, f"{batches} steps an epoch by its pictures, found {self.steps_per_epoch}"
        )
        _expect(len(self.files) == self.settings.epochs, f"one file name for each of the {self.settings.epochs} epochs")
        _expect(any(not image.held_out for image in self.images), "at least one picture that is not held out")

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
        _expect(plain, "plain .safetensors file names in run.json")


def read_plan(path: Path) -> Plan:
    """Read and check a plan.json. Raises Failure `bad_plan` or `plan_version`."""
    return Plan.from_json(_read_json(path))


def read_run(path: Path, plan: Plan) -> Run:
    """Read the run.json beside a plan. Raises Failure `bad_plan` when it belongs to another plan."""
    run = from_json(Run, _read_json(path))
    _expect(run.plan_id == plan.id, f"run.json to belong to plan {plan.id}, found {run.plan_id}")
    _expect(len(run.files) == len(plan.files), f"{len(plan.files)} file names in run.json, found {len(run.files)}")
    return run


def from_json(kind: Any, value: Any, where: str = "") -> Any:  # noqa: ANN401
    """`value` as the dataclass, tuple or scalar `kind`; unknown keys are ignored. Raises Failure `bad_plan`."""
    if dataclasses.is_dataclass(kind):
        _expect(isinstance(value, dict), f"an object at {where or 'the top'}")
        return kind(**_fields(kind, value, where))  # type: ignore[operator]
    if get_origin(kind) is tuple:
        return _tuple(get_args(kind), value, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    _expect(right, f"{_WORDS.get(kind, kind)} at {where}, found {json.dumps(value)[:60]}")
    return value


_WORDS: dict[Any, str] = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def _fields(kind: Any, value: dict[str, Any], where: str) -> dict[str, Any]:  # noqa: ANN401
    hints = get_type_hints(kind)
    found: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        key = re.sub(r"_([a-z])", lambda match: match[1].upper(), field.name)
        place = f"{where}.{key}" if where else key
        _expect(key in value, f"a value at {place}, found none")
        found[field.name] = from_json(hints[field.name], value[key], place)
    return found


def _tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:  # noqa: ANN401
    _expect(isinstance(value, list), f"a list at {where}")
    if kinds[-1] is Ellipsis:
        return tuple(from_json(kinds[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    _expect(len(value) == len(kinds), f"{len(kinds)} values at {where}, found {len(value)}")
    return tuple(from_json(kind, item, where) for kind, item in zip(kinds, value, strict=True))


def _read_json(path: Path) -> Any:  # noqa: ANN401
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Failure(
            "bad_plan",
            f"Expected a readable {path.name}, but {path} could not be read ({error.strerror}); plan the run again.",
        ) from error
    except ValueError as error:
        raise Failure(
            "bad_plan", f"Expected JSON in {path}, found something else ({error}); plan the run again."
        ) from error


def _expect(condition: bool, expected: str) -> None:
    if not condition:
        raise Failure("bad_plan", f"The plan can't be trained: expected {expected}. Plan the run again.")
