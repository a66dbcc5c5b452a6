"""The settings of a plan as frozen dataclasses. Imports nothing heavy."""

import dataclasses
from dataclasses import dataclass, field

from trainer.from_json import expect

OPTIMIZERS = ("AdamW", "AdamW8bit", "Lion", "Adafactor", "Prodigy", "AdamWScheduleFree", "DAdaptAdam")
NETWORKS = ("lora", "locon", "dora", "loha", "lokr")
SCHEDULES = ("constant", "linear", "cosine", "cosine_with_restarts", "polynomial", "constant_with_warmup")
LOSS_TYPES = ("l2", "l1", "huber", "smooth_l1")
PREDICTIONS = ("auto", "epsilon", "v")
BASE_WEIGHTS = ("full", "fp8", "int8")
HUBER_SCHEDULES = ("snr", "exponential", "constant")


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
class SubsetSettings:
    """What one subset has otherwise than the settings say; None: as they say."""

    shuffle_caption: bool | None = None
    keep_tokens: int | None = None
    keep_tokens_separator: str | None = None
    secondary_separator: str | None = None
    caption_prefix: str | None = None
    caption_suffix: str | None = None
    caption_dropout_rate: float | None = None
    caption_dropout_every_n_epochs: int | None = None
    caption_tag_dropout_rate: float | None = None
    enable_wildcard: bool | None = None
    flip_aug: bool | None = None
    random_crops: int | None = None
    color_aug: bool | None = None
    alpha_mask: bool | None = None


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
    vae: str = ""
    prediction_type: str = "auto"
    text_encoder2_lr: float = 0.0
    optimizer_args: tuple[str, ...] = ()
    lr_scheduler_num_cycles: int = 1
    lr_scheduler_power: float = 1.0
    lr_scheduler_min_lr_ratio: float = 0.0
    gradient_accumulation_steps: int = 1
    gradient_checkpointing: bool = False
    base_weights: str = "full"
    ema_decay: float = 0.0
    stop_text_encoder_at: float = 1.0
    network_type: str = "lora"
    conv_dim: int = 0
    conv_alpha: float = 1.0
    block_dims: str = ""
    block_alphas: str = ""
    lokr_factor: int = -1
    decompose_both: bool = False
    network_dropout: float = 0.0
    rank_dropout: float = 0.0
    module_dropout: float = 0.0
    scale_weight_norms: float = 0.0
    lora_plus_ratio: float = 1.0
    network_weights: str = ""
    min_timestep: int = 0
    max_timestep: int = 1000
    noise_offset: float = 0.0
    noise_offset_random_strength: bool = False
    multires_noise_iterations: int = 0
    multires_noise_discount: float = 0.3
    ip_noise_gamma: float = 0.0
    ip_noise_gamma_random_strength: bool = False
    zero_terminal_snr: bool = False
    loss_type: str = "l2"
    huber_c: float = 0.1
    huber_schedule: str = "snr"
    min_snr_gamma: float = 0.0
    debiased_estimation: bool = False
    keep_tokens_separator: str = ""
    secondary_separator: str = ""
    caption_prefix: str = ""
    caption_suffix: str = ""
    caption_dropout_rate: float = 0.0
    caption_dropout_every_n_epochs: int = 0
    caption_tag_dropout_rate: float = 0.0
    enable_wildcard: bool = False
    weighted_captions: bool = False
    comma_chunks: bool = False
    dynamic_chunks: bool = False
    flip_aug: bool = False
    random_crops: int = 0
    color_aug: bool = False
    subset_settings: dict[str, SubsetSettings] = field(default_factory=dict)
    alpha_mask: bool = False
    masked_loss: bool = False
    prior_loss_weight: float = 1.0
    prior_preservation: float = 0.0
    prior_preservation_every: int = 1
    num_processes: int = 1
    adaptive_noise_scale: float = 0.0
    scale_v_pred_loss_like_noise_pred: bool = False
    v_pred_like_loss: float = 0.0
    token_warmup_step: float = 0.0
    token_warmup_min: int = 1

    def __post_init__(self) -> None:
        expect(
            self.epochs >= 1 and self.batch_size >= 1 and self.network_dim >= 1,
            "epochs, batchSize and networkDim of at least 1",
        )
        expect(self.network_alpha > 0, "a networkAlpha above 0")
        expect(
            max(self.unet_lr, self.text_encoder_lr, self.text_encoder2_lr) > 0,
            "unetLr, textEncoderLr or textEncoder2Lr above 0, or nothing would be trained",
        )
        self._check_learning()
        self._check_loss()
        self._check_captions()
        self._check_network()
        expect(self.mixed_precision in ("no", "fp16", "bf16"), "a mixedPrecision of no, fp16 or bf16")
        expect(self.save_precision in ("float", "fp16", "bf16"), "a savePrecision of float, fp16 or bf16")
        expect(self.max_token_length in (75, 150, 225), "a maxTokenLength of 75, 150 or 225")
        expect(self.base_weights in BASE_WEIGHTS, f"baseWeights of {', '.join(BASE_WEIGHTS)}")
        expect(self.clip_skip >= 1, "a clipSkip of at least 1")
        expect(self.num_processes >= 1, "numProcesses of at least 1")
        expect(self.prediction_type in PREDICTIONS, f"a predictionType of {', '.join(PREDICTIONS)}")

    def _check_learning(self) -> None:
        expect(self.optimizer in OPTIMIZERS, f"an optimizer of {', '.join(OPTIMIZERS)}")
        expect(self.lr_scheduler in SCHEDULES, f"an lrScheduler of {', '.join(SCHEDULES)}")
        whole = self.lr_warmup_steps == int(self.lr_warmup_steps)
        expect(0 <= self.lr_warmup_steps < 1 or whole, "lrWarmupSteps as whole steps or as a share below 1")
        expect(self.lr_scheduler_num_cycles >= 1, "lrSchedulerNumCycles of at least 1")
        expect(0 <= self.lr_scheduler_min_lr_ratio <= 1, "an lrSchedulerMinLrRatio of 0 to 1")
        expect(self.gradient_accumulation_steps >= 1, "gradientAccumulationSteps of at least 1")
        expect(0 <= self.ema_decay < 1, "an emaDecay of 0 to below 1")
        averages = self.optimizer == "AdamWScheduleFree"
        expect(not (averages and self.ema_decay), "an emaDecay of 0 with AdamWScheduleFree, which averages by itself")
        expect(
            not averages or self.lr_scheduler.startswith("constant"),
            "the lrScheduler constant with AdamWScheduleFree, which needs no other",
        )
        trains_on = self.stop_text_encoder_at == 1 or self.unet_lr > 0
        expect(trains_on, "a unetLr above 0 with stopTextEncoderAt, or nothing would be trained after it")
        rates = {rate for rate in (self.unet_lr, self.text_encoder_lr, self.text_encoder2_lr) if rate}
        expect(
            self.optimizer not in ("Prodigy", "DAdaptAdam") or (len(rates) == 1 and self.lora_plus_ratio == 1),
            f"equal learning rates and a loraPlusRatio of 1 with {self.optimizer}, which finds one rate for all",
        )
        expect(0 <= self.stop_text_encoder_at <= 1, "a stopTextEncoderAt of 0 to 1")

    def _check_network(self) -> None:
        expect(self.network_type in NETWORKS, f"a networkType of {', '.join(NETWORKS)}")
        expect(self.conv_dim >= 0 and self.conv_alpha > 0, "a convDim of at least 0 and a convAlpha above 0")
        for name in ("network_dropout", "rank_dropout", "module_dropout"):
            expect(0 <= getattr(self, name) < 1, f"a {name.split('_')[0]}Dropout of 0 to below 1")
        expect(self.lokr_factor == -1 or self.lokr_factor >= 1, "a lokrFactor of -1 or at least 1")
        expect(self.scale_weight_norms >= 0, "scaleWeightNorms of at least 0")
        expect(self.lora_plus_ratio > 0, "a loraPlusRatio above 0")

    def _check_loss(self) -> None:
        expect(0 <= self.min_timestep < self.max_timestep <= 1000, "0 ≤ minTimestep < maxTimestep ≤ 1000")
        expect(self.loss_type in LOSS_TYPES, f"a lossType of {', '.join(LOSS_TYPES)}")
        expect(self.huber_schedule in HUBER_SCHEDULES, f"a huberSchedule of {', '.join(HUBER_SCHEDULES)}")
        expect(0 < self.huber_c <= 1, "a huberC above 0 and up to 1")
        strengths = (self.noise_offset, self.multires_noise_discount, self.ip_noise_gamma, self.min_snr_gamma)
        expect(min(strengths) >= 0, "noiseOffset, multiresNoiseDiscount, ipNoiseGamma and minSnrGamma of at least 0")
        expect(self.v_pred_like_loss >= 0, "a vPredLikeLoss of at least 0")
        expect(self.multires_noise_iterations >= 0, "multiresNoiseIterations of at least 0")
        expect(min(self.prior_loss_weight, self.prior_preservation) >= 0, "weights of the prior of at least 0")
        expect(self.prior_preservation_every >= 1, "priorPreservationEvery of at least 1")

    def of(self, subset: str) -> "Settings":
        """The settings of one subset."""
        own = self.subset_settings.get(subset)
        if own is None:
            return self
        changes = {name: value for name, value in dataclasses.asdict(own).items() if value is not None}
        return dataclasses.replace(self, subset_settings={}, **changes)

    def _check_captions(self) -> None:
        rates = (self.caption_dropout_rate, self.caption_tag_dropout_rate)
        expect(min(rates) >= 0 and max(rates) <= 1, "captionDropoutRate and captionTagDropoutRate of 0 to 1")
        expect(
            min(self.token_warmup_step, self.token_warmup_min) >= 0, "tokenWarmupStep and tokenWarmupMin of at least 0"
        )
        expect(self.random_crops >= 0, "randomCrops of at least 0")
        expect(self.caption_dropout_every_n_epochs >= 0, "captionDropoutEveryNEpochs of at least 0")
