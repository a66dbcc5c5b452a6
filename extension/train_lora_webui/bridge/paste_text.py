"""Infotext that fills txt2img: a grid as an X/Y/Z plot over our axes, or one cell."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from .axes import EPOCH_AXIS, WEIGHT_AXIS, has_axes
from .checkpoints import find_checkpoint
from .failure import Failure
from .lora_tag import first_name, lora_tag, number, with_tag
from .present_settings import chosen_sampler

CHIP_LABELS = {
    "RNG": "randn_source",
    "ENSD": "eta_noise_seed_delta",
    "VAE Encoder": "sd_vae_encode_method",
    "VAE Decoder": "sd_vae_decode_method",
    "Emphasis": "emphasis",
    "FP8 weight": "fp8_storage",
    "Schedule type": "k_sched_type",
    "Schedule max sigma": "sigma_max",
    "Schedule min sigma": "sigma_min",
    "Schedule rho": "rho",
}
"""Infotext label of a setting, where a WebUI is too old to be asked which ones a missing label would change."""


def paste_text(request: dict[str, Any]) -> str:
    """
    Answers `pasteText`. What the text would leave out, the WebUI would set to its defaults and show as override
    chips, so each present setting that would change is told as it is. Raises Failure `webui_missing` when the plot
    can't be filled.
    """
    loras, weights = request["loras"], request["weights"]
    one_cell = len(loras) == 1 and len(weights) == 1
    if not one_cell and not has_axes():
        raise Failure(
            "webui_missing",
            "The WebUI's X/Y/Z plot script, or our two axes in it, is not there. "
            "Reload the UI once; a single cell can be sent to txt2img without it.",
        )
    fields = {**_settings_fields(request), **({} if one_cell else _plot_fields(loras, weights))}
    prompt = _prompt(request)
    negative = request["settings"]["negativePrompt"]
    asked = {"Clip skip", "Model hash"}
    for label, value in _chips(_text(prompt, negative, fields)).items():
        if label not in asked:
            fields[label] = value
    return _text(prompt, negative, fields)


def quote(value: Any) -> str:
    """A value as infotext holds it: by the WebUI's own rule where it has one."""
    try:
        from modules import infotext_utils as paste
    except ImportError:
        try:
            from modules import generation_parameters_copypaste as paste
        except ImportError:
            paste = None
    if paste is not None and hasattr(paste, "quote"):
        return str(paste.quote(str(value)))
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(sign in text for sign in ",\n:") else text


def _prompt(request: dict[str, Any]) -> str:
    names = {lora["name"] for lora in request["loras"]}
    prompt = request["prompt"]
    if first_name(prompt, names.__contains__) is not None:
        return str(prompt)
    return with_tag(prompt, lora_tag(request["loras"][0]["name"], request["weights"][0]))


def _settings_fields(request: dict[str, Any]) -> dict[str, str]:
    settings = request["settings"]
    sampler, schedule = chosen_sampler(settings["sampler"], settings["scheduler"])
    fields = {"Steps": str(settings["steps"]), "Sampler": sampler}
    if schedule is not None:
        fields["Schedule type"] = schedule
    fields["CFG scale"] = number(settings["cfgScale"])
    fields["Seed"] = str(request["seed"])
    fields["Size"] = f"{settings['width']}x{settings['height']}"
    if settings["checkpoint"] is not None:
        info = find_checkpoint(settings["checkpoint"])
        if getattr(info, "shorthash", None):
            fields["Model hash"] = info.shorthash
    fields["Clip skip"] = str(settings["clipSkip"])
    return fields


def _plot_fields(loras: list[dict[str, Any]], weights: list[float]) -> dict[str, str]:
    epochs = [lora["name"] for lora in sorted(loras, key=lambda lora: lora["epoch"])]
    return {
        "Script": "X/Y/Z plot",
        "X Type": EPOCH_AXIS,
        "X Values": _csv(epochs),
        "Y Type": WEIGHT_AXIS,
        "Y Values": _csv([number(weight) for weight in weights]),
        "Z Type": "Nothing",
    }


def _csv(values: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue().strip()


def _text(prompt: str, negative: str, fields: dict[str, str]) -> str:
    parameters = ", ".join(f"{label}: {quote(value)}" for label, value in fields.items())
    negative_line = f"\nNegative prompt: {negative}" if negative else ""
    return f"{prompt}{negative_line}\n{parameters}"


def _chips(text: str) -> dict[str, str]:
    """
    Label → present value of every setting that pasting `text` would override; asked of the WebUI itself where it can
    tell.
    """
    from modules import shared

    try:
        from modules import infotext_utils

        overrides = infotext_utils.get_override_settings(infotext_utils.parse_generation_parameters(text))
        settings = {label: name for label, name, _value in overrides}
    except (ImportError, AttributeError):
        settings = CHIP_LABELS
    present = {label: getattr(shared.opts, name, None) for label, name in settings.items()}
    return {label: str(value) for label, value in present.items() if value is not None}
