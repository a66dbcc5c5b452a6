"""What a saved LoRA says about its base model, in the words of sd-scripts."""

from functools import cache
from pathlib import Path
from typing import Any

from trainer.model.file_hash import FileHash
from trainer.plan import Plan

_XL_IMPLEMENTATION = "https://github.com/Stability-AI/generative-models"


def model_facts(plan: Plan, base_hash: FileHash) -> dict[str, Any]:
    """The ss_* of the base model, and of an autoencoder that took the place of its own."""
    facts = {
        "ss_sd_model_name": Path(plan.base_model.path).name,
        "ss_sd_model_hash": base_hash.old,
        "ss_new_sd_model_hash": base_hash.new,
        "ss_v2": plan.base_model.kind == "sd2",
        "ss_base_model_version": _version(plan),
        "ss_clip_skip": plan.settings.clip_skip,
        "ss_max_token_length": plan.settings.max_token_length,
    }
    if plan.settings.vae:
        path = Path(plan.settings.vae)
        vae_hash = _hash_of(path)
        facts |= {"ss_vae_name": path.name, "ss_vae_hash": vae_hash.old, "ss_new_vae_hash": vae_hash.new}
    return facts


def model_spec(plan: Plan) -> dict[str, str]:
    """The modelspec.* of the base model."""
    is_v = plan.prediction == "v"
    architectures = {
        "sd1": "stable-diffusion-v1",
        "sd2": "stable-diffusion-v2-768-v" if is_v else "stable-diffusion-v2-512",
        "sdxl": "stable-diffusion-xl-v1-base",
    }
    return {
        "modelspec.architecture": f"{architectures[plan.base_model.kind]}/lora",
        "modelspec.implementation": _XL_IMPLEMENTATION if plan.base_model.kind == "sdxl" else "diffusers",
        "modelspec.prediction_type": "v" if is_v else "epsilon",
    }


def _version(plan: Plan) -> str:
    if plan.base_model.kind == "sdxl":
        return "sdxl_base_v1-0"
    return f"sd_v{plan.base_model.kind[-1]}{'_v' if plan.prediction == 'v' else ''}"


@cache
def _hash_of(path: Path) -> FileHash:
    return FileHash(path)
