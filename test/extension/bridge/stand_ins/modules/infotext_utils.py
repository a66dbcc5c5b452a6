# ruff: noqa: ANN001, ANN201
# The signatures are those of the WebUI.
"""What an infotext leaves out is set to a default; what differs from the present setting becomes a chip."""

import json
import re

from modules import shared

paste_fields = {}
PARAMETER = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
LEFT_OUT = {
    "Clip skip": "1",
    "RNG": "GPU",
    "Schedule type": "Automatic",
    "Schedule max sigma": 0,
    "Schedule min sigma": 0,
    "Schedule rho": 0,
    "VAE Encoder": "Full",
    "VAE Decoder": "Full",
    "FP8 weight": "Disable",
    "Refiner switch by sampling steps": False,
}


def quote(text):
    return json.dumps(text, ensure_ascii=False) if any(sign in str(text) for sign in ",\n:") else text


def parse_generation_parameters(text, skip_fields=None):
    *lines, last = text.strip().split("\n")
    found = PARAMETER.findall(last)
    if len(found) < 3:
        lines, found = [*lines, last], []
    joined = "\n".join(lines)
    prompt, _sign, negative = joined.partition("\nNegative prompt:")
    values = {key: json.loads(value) if value.startswith('"') else value for key, value in found}
    weighted = {"Emphasis": "Original"} if "(" in joined else {}
    return {**LEFT_OUT, **weighted, **values, "Prompt": prompt, "Negative prompt": negative.strip()}


def get_override_settings(params, *, skip_fields=None):
    chips = []
    for name, info in shared.opts.data_labels.items():
        if not info.infotext or info.infotext not in params:
            continue
        if name == "sd_model_checkpoint" and shared.opts.disable_weights_auto_swap:
            continue
        value = shared.opts.cast_value(name, params[info.infotext])
        if value != getattr(shared.opts, name):
            chips.append((info.infotext, name, value))
    return chips


def register_paste_params_button(binding) -> None:
    pass
