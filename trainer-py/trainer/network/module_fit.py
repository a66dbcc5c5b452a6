"""Whether a file's module belongs to a layer."""

import dataclasses
from typing import Any

from torch import Tensor

from trainer.failure import Failure
from trainer.network.lora_weights import LoraModule, NetworkModule


def check_fit(name: str, module: NetworkModule, weight: Tensor) -> None:
    """Raises Failure `lora_corrupt` unless `module` changes a weight (out, in) or (out, in, kh, kw) of this shape."""
    if _fits(module, weight):
        return
    found = ", ".join(f"{role} {tuple(tensor.shape)}" for role, tensor in module.tensors().items())
    raise Failure(
        "lora_corrupt",
        f"Expected a LoRA for a layer of {tuple(weight.shape)} at {name}, found {found}; it was made for another base "
        "model, so choose that one.",
    )


def _fits(module: NetworkModule, weight: Tensor) -> bool:
    if module.dora_scale is not None:
        sides = {(1, weight.shape[1]), (weight.shape[0], 1)}
        if module.dora_scale.ndim != weight.ndim or tuple(module.dora_scale.shape[:2]) not in sides:
            return False
    if isinstance(module, LoraModule):
        inside = module.down.shape[1] == weight.shape[1] and module.up.shape[0] == weight.shape[0]
        return inside and module.down[0].numel() == weight[0].numel()
    # The whole computation over tensors without numbers.
    values: dict[str, Any] = {field.name: getattr(module, field.name) for field in dataclasses.fields(module)}
    empty: dict[str, Any] = {
        name: value.to("meta") if isinstance(value, Tensor) else value for name, value in values.items()
    }
    try:
        change = type(module)(**empty).change(weight.shape)
    except (RuntimeError, ZeroDivisionError):
        return False
    return change.shape == weight.shape
