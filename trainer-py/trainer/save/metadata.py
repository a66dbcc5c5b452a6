"""What a saved LoRA says about its training, in kohya's keys: every value is a string made by `str()`."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from trainer import __version__
from trainer.model.file_hash import FileHash
from trainer.network.lora_weights import LoraWeights
from trainer.plan import Plan, PlanImage
from trainer.progress import Progress
from trainer.save.model_metadata import model_facts, model_spec
from trainer.save.network_metadata import network_facts
from trainer.save.recipe_metadata import caption_facts, loss_facts, optimisation_facts


def lora_metadata(
    plan: Plan, progress: Progress, base_hash: FileHash, *, epoch: int, weights: LoraWeights | None = None
) -> dict[str, str]:
    """All ss_* and modelspec.* of one epoch, without the output name and the sshs hashes."""
    facts = {
        **_run(plan, progress, epoch),
        **model_facts(plan, base_hash),
        **network_facts(plan.settings, weights, xl=plan.base_model.kind == "sdxl"),
        **optimisation_facts(plan.settings),
        **loss_facts(plan.settings),
        **caption_facts(plan.settings),
        **_command_line_data(plan),
        **_dataset_config_data(plan),
    }
    return {**{key: str(value) for key, value in facts.items()}, **_modelspec(plan)}


def tag_frequency(images: Iterable[PlanImage]) -> dict[str, int]:
    """How many images carry each tag, lower-cased, in the order of their first appearance; repeats don't count."""
    tags = (tag.strip().lower() for image in images for tag in image.caption.split(","))
    return dict(Counter(tag for tag in tags if tag))


def _run(plan: Plan, progress: Progress, epoch: int) -> dict[str, Any]:
    return {
        "ss_session_id": progress.session_id,
        "ss_training_started_at": progress.started_at,
        "ss_training_finished_at": time.time(),
        "ss_epoch": epoch,
        "ss_steps": epoch * plan.steps_per_epoch,
        "ss_num_epochs": plan.settings.epochs,
        "ss_num_batches_per_epoch": plan.steps_per_epoch,
        "ss_max_train_steps": plan.total_steps,
        "ss_training_comment": f"Train LoRA, plan {plan.id}",
        "ss_sd_scripts_commit_hash": None,
        "ss_seed": plan.settings.seed,
    }


def _command_line_data(plan: Plan) -> dict[str, Any]:
    settings = plan.settings
    return {
        "ss_num_train_images": _samples(plan, is_reg=False),
        "ss_num_reg_images": _samples(plan, is_reg=True),
        "ss_cache_latents": not plan.settings.color_aug,
        "ss_validation_seed": None,
        "ss_validation_split": 0.0,
        "ss_validate_every_n_steps": None,
        "ss_validate_every_n_epochs": 1,
        "ss_max_validation_steps": None,
        "ss_num_validation_images": len(plan.held_out_images),
        "ss_batch_size_per_device": settings.batch_size,
        "ss_total_batch_size": settings.batch_size,
        "ss_resolution": (settings.resolution.width, settings.resolution.height),
        "ss_color_aug": settings.color_aug,
        "ss_flip_aug": settings.flip_aug,
        "ss_random_crop": settings.random_crops > 0,
        "ss_shuffle_caption": settings.shuffle_caption,
        "ss_enable_bucket": True,
        "ss_bucket_no_upscale": settings.bucket_no_upscale,
        "ss_min_bucket_reso": settings.min_bucket_reso,
        "ss_max_bucket_reso": settings.max_bucket_reso,
        "ss_keep_tokens": settings.keep_tokens,
        "ss_dataset_dirs": _json(_dirs(_subsets(plan, is_reg=False))),
        "ss_reg_dataset_dirs": _json(_dirs(_subsets(plan, is_reg=True))),
        "ss_tag_frequency": _json({name: tag_frequency(images) for name, images in _subsets(plan).items()}),
        "ss_bucket_info": _json(_bucket_info(plan)),
    }


def _dataset_config_data(plan: Plan) -> dict[str, Any]:
    settings = plan.settings
    dataset = {
        "is_dreambooth": True,
        "batch_size_per_device": settings.batch_size,
        "num_train_images": _samples(plan, is_reg=False),
        "num_reg_images": _samples(plan, is_reg=True),
        "resolution": [settings.resolution.width, settings.resolution.height],
        "enable_bucket": True,
        "min_bucket_reso": settings.min_bucket_reso,
        "max_bucket_reso": settings.max_bucket_reso,
        "tag_frequency": {name: tag_frequency(images) for name, images in _subsets(plan).items()},
        "bucket_info": _bucket_info(plan),
        "resize_interpolation": "lanczos",
        "subsets": [_subset(plan, name, images) for name, images in _subsets(plan).items()],
    }
    return {"ss_datasets": _json([dataset])}


def _subset(plan: Plan, name: str, images: list[PlanImage]) -> dict[str, Any]:
    repeats, _, words = name.partition("_")
    settings = plan.settings.of(images[0].subset)
    return {
        "img_count": len(images),
        "num_repeats": images[0].repeats,
        "color_aug": settings.color_aug,
        "flip_aug": settings.flip_aug,
        "random_crop": settings.random_crops > 0,
        "shuffle_caption": settings.shuffle_caption,
        "keep_tokens": settings.keep_tokens,
        "keep_tokens_separator": settings.keep_tokens_separator,
        "secondary_separator": settings.secondary_separator or None,
        "enable_wildcard": settings.enable_wildcard,
        "caption_prefix": settings.caption_prefix or None,
        "caption_suffix": settings.caption_suffix or None,
        "resize_interpolation": "lanczos",
        "image_dir": name,
        "class_tokens": words if repeats.isdigit() and words else name,
        "is_reg": images[0].is_reg,
    }


def _subsets(plan: Plan, *, is_reg: bool | None = None) -> dict[str, list[PlanImage]]:
    """Trained images by their folder's name: those for regularisation, the others, or with None all."""
    found: dict[str, list[PlanImage]] = {}
    for image in plan.trained_images:
        if is_reg is None or image.is_reg == is_reg:
            found.setdefault(_folder(plan, image), []).append(image)
    return found


def _folder(plan: Plan, image: PlanImage) -> str:
    return plan.dataset.name if image.subset == "." else image.subset.removeprefix("reg/")


def _dirs(subsets: dict[str, list[PlanImage]]) -> dict[str, Any]:
    return {name: {"n_repeats": images[0].repeats, "img_count": len(images)} for name, images in subsets.items()}


def _samples(plan: Plan, *, is_reg: bool) -> int:
    return sum(image.repeats for image in plan.trained_images if image.is_reg == is_reg)


def _bucket_info(plan: Plan) -> dict[str, Any]:
    counts: Counter[tuple[int, int]] = Counter()
    errors = []
    for image in plan.trained_images:
        counts[image.bucket] += image.repeats
        errors.append(abs(image.width / image.height - image.bucket[0] / image.bucket[1]))
    buckets = {
        str(index): {"resolution": list(size), "count": counts[size]} for index, size in enumerate(sorted(counts))
    }
    return {"buckets": buckets, "mean_img_ar_error": sum(errors) / len(errors)}


def _modelspec(plan: Plan) -> dict[str, str]:
    settings = plan.settings
    spec = {
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.implementation_version": f"train-lora/{__version__}",
        "modelspec.date": datetime.now(timezone.utc).replace(tzinfo=None).isoformat(timespec="seconds"),
        "modelspec.resolution": f"{settings.resolution.width}x{settings.resolution.height}",
        "modelspec.encoder_layer": str(settings.clip_skip),
        **model_spec(plan),
    }
    if plan.dataset.trigger_word:
        spec["modelspec.trigger_phrase"] = plan.dataset.trigger_word
    return spec


def _json(value: Any) -> str:  # noqa: ANN401
    return json.dumps(value, ensure_ascii=True)
