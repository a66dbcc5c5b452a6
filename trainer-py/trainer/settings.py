"""The settings of a plan as frozen dataclasses. Imports nothing heavy."""

from dataclasses import dataclass

from trainer.from_json import expect

OPTIMIZERS = ("AdamW", "AdamW8bit", "Lion", "Adafactor", "Prodigy", "AdamWScheduleFree", "DAdaptAdam")
SCHEDULES = ("constant", "linear", "cosine", "cosine_with_restarts", "polynomial", "constant_with_warmup")


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
    lr_warmup_steps: float
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
    optimizer_args: tuple[str, ...] = ()
    lr_scheduler_num_cycles: int = 1
    lr_scheduler_power: float = 1.0
    lr_scheduler_min_lr_ratio: float = 0.0
    gradient_accumulation_steps: int = 1
    ema_decay: float = 0.0
    stop_text_encoder_at: float = 1.0

    def __post_init__(self) -> None:
        expect(
            self.epochs >= 1 and self.batch_size >= 1 and self.network_dim >= 1,
            "epochs, batchSize and networkDim of at least 1",
        )
        expect(self.network_alpha > 0, "a networkAlpha above 0")
        expect(
            self.unet_lr > 0 or self.text_encoder_lr > 0, "unetLr or textEncoderLr above 0, or nothing would be trained"
        )
        self._check_learning()
        expect(self.mixed_precision in ("no", "fp16", "bf16"), "a mixedPrecision of no, fp16 or bf16")
        expect(self.save_precision in ("float", "fp16", "bf16"), "a savePrecision of float, fp16 or bf16")
        expect(self.max_token_length in (75, 150, 225), "a maxTokenLength of 75, 150 or 225")
        expect(self.clip_skip >= 1, "a clipSkip of at least 1")

    def _check_learning(self) -> None:
        expect(self.optimizer in OPTIMIZERS, f"an optimizer of {', '.join(OPTIMIZERS)}")
        expect(self.lr_scheduler in SCHEDULES, f"an lrScheduler of {', '.join(SCHEDULES)}")
        whole = self.lr_warmup_steps == int(self.lr_warmup_steps)
        expect(0 <= self.lr_warmup_steps < 1 or whole, "lrWarmupSteps as whole steps or as a share below 1")
        expect(self.lr_scheduler_num_cycles >= 1, "lrSchedulerNumCycles of at least 1")
        expect(0 <= self.lr_scheduler_min_lr_ratio <= 1, "an lrSchedulerMinLrRatio of 0 to 1")
        expect(self.gradient_accumulation_steps >= 1, "gradientAccumulationSteps of at least 1")
        expect(0 <= self.ema_decay < 1, "an emaDecay of 0 to below 1")
        expect(0 <= self.stop_text_encoder_at <= 1, "a stopTextEncoderAt of 0 to 1")
