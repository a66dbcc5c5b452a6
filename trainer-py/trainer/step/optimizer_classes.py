"""The optimizers by name: each from the library that its authors or sd-scripts use, loaded only when it is chosen."""

import ast
import contextlib
import importlib
import inspect
import sys
from collections.abc import Sequence
from typing import Any

import torch

from trainer.failure import Failure
from trainer.from_json import expect
from trainer.settings import Settings
from trainer.step.flat_adamw import FlatAdamW

_PLACES = {
    "AdamW": ("torch.optim.adamw", "AdamW"),
    "AdamW8bit": ("bitsandbytes.optim.adamw", "AdamW8bit"),
    "Lion": ("lion_pytorch.lion_pytorch", "Lion"),
    "Adafactor": ("pytorch_optimizer.optimizer.adafactor", "AdaFactor"),
    "Prodigy": ("prodigyopt.prodigy", "Prodigy"),
    "AdamWScheduleFree": ("schedulefree.adamw_schedulefree", "AdamWScheduleFree"),
    "DAdaptAdam": ("pytorch_optimizer.optimizer.dadapt", "DAdaptAdam"),
}
# The names that these options have in sd-scripts' optimizers.
_OTHER_NAMES = {"DAdaptAdam": {"decouple": "weight_decouple", "use_bias_correction": "bias_correction"}}
# Adafactor as sd-scripts' users run it: no momentum, no cap on the decay, and the learning rate of the plan.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "AdamW": {"fused": True},
    "Adafactor": {"betas": (None, 1 - 1e-9), "scale_parameter": False, "relative_step": False},
}
_NOT_OPTIONS = {"self", "params", "lr", "kwargs", "maximize", "capturable", "differentiable", "fsdp_in_use"}

AUTOMATIC = ("Prodigy", "DAdaptAdam")
"""Find the learning rate themselves: one factor for all groups, 1 as a rule."""


Steps = torch.optim.Optimizer | FlatAdamW


def new_optimizer(settings: Settings, groups: Sequence[dict[str, Any]], warmup: int = 0) -> Steps:
    """The plan's optimizer over `groups` of {"params", "lr"}; optimizerArgs override weightDecay and our defaults.

    warmup: steps for the one that has no schedule around it. Raises Failure `bad_plan` for an option that it does not
    have or refuses, `program_missing` when its library can't be used here.
    """
    name = settings.optimizer
    kind = _optimizer_class(name)
    options = {**_DEFAULTS.get(name, {}), "weight_decay": settings.weight_decay, **_options(settings, kind)}
    if name == "AdamWScheduleFree":
        options.setdefault("warmup_steps", warmup)
    try:
        # Some of them print, and stdout belongs to the events.
        with contextlib.redirect_stdout(sys.stderr):
            found: Steps = kind(groups, **options)
            return found
    except (ValueError, TypeError, AssertionError) as error:
        raise _refused(settings, str(error)) from error


def check_optimizer(settings: Settings) -> None:
    """Raise the Failure of `new_optimizer` before an hour is spent on the way to it."""
    rate = settings.unet_lr or settings.text_encoder_lr
    new_optimizer(settings, [{"params": [torch.zeros(2, 2, requires_grad=True)], "lr": rate}])


def full_name(settings: Settings) -> str:
    """The class as sd-scripts writes it into a file's metadata, with its options in brackets."""
    module, kind = _PLACES[settings.optimizer]
    options = ",".join([f"weight_decay={settings.weight_decay}", *settings.optimizer_args])
    return f"{module}.{kind}({options})"


def _optimizer_class(name: str) -> Any:  # noqa: ANN401
    if name == "AdamW":
        return FlatAdamW
    module, kind = _PLACES[name]
    try:
        return getattr(importlib.import_module(module), kind)
    except (ImportError, RuntimeError, OSError) as error:
        package = module.partition(".")[0].replace("_", "-")
        raise Failure(
            "program_missing",
            f"Expected the package {package} for the optimizer {name}, but it can't be used here; install it with "
            f"{sys.executable} -m pip install {package}, or choose AdamW.",
            f"{type(error).__name__}: {error}",
        ) from error


def _options(settings: Settings, kind: Any) -> dict[str, Any]:  # noqa: ANN401
    known = [name for name in inspect.signature(kind).parameters if name not in _NOT_OPTIONS]
    other = _OTHER_NAMES.get(settings.optimizer, {})
    found = {}
    for text in settings.optimizer_args:
        name, equals, value = (part.strip() for part in text.partition("="))
        expect(bool(name and equals and value), f"optimizerArgs such as betas=0.9,0.99, found {text!r}")
        name = other.get(name, name)
        expect(name in known, f"optimizerArgs of {settings.optimizer} among {', '.join(known)}, found {text!r}")
        found[name] = _value(text, value)
    return found


def _value(text: str, value: str) -> Any:  # noqa: ANN401
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError) as error:
        raise Failure(
            "bad_plan",
            "The plan can't be trained: expected optimizerArgs with numbers, True, False or lists of them, "
            f"found {text!r}. Plan the run again.",
        ) from error


def _refused(settings: Settings, why: str) -> Failure:
    options = ", ".join(settings.optimizer_args) or "no optimizerArgs"
    return Failure(
        "bad_plan",
        f"Expected settings that {settings.optimizer} takes, but it refused weightDecay {settings.weight_decay} with "
        f"{options} ({why or 'a value is out of range'}). Change them and plan the run again.",
    )
