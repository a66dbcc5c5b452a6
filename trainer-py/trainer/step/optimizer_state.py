"""An optimizer's own state as plain tensors, and back, exactly: whatever library it comes from."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from trainer.step.optimizer_classes import Steps

_NUMBERS = "optimizer.numbers"
# Set anew in every step, or meaningful only inside the process.
_PASSING = ("lr", "params", "train_mode")

Parameters = Mapping[str, list[Tensor]]
"""The optimizer's parameters by group, in the order in which it was given them."""


def optimizer_tensors(optimizer: Steps, parameters: Parameters, updates: int) -> dict[str, Tensor]:
    """Moments and what else it keeps, live, under `<group>.<name>`; numbers as JSON in `optimizer.numbers`."""
    found: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {"updates": updates}
    for place, kept in _places(optimizer, parameters):
        for key, value in kept.items():
            if key in _PASSING:
                continue
            if isinstance(value, Tensor):
                found[f"{place}.{key}"] = value
            elif isinstance(value, (int, float)):
                numbers[f"{place}.{key}"] = value
    # JSON keeps Python's numbers to the last bit.
    found[_NUMBERS] = torch.frombuffer(bytearray(json.dumps(numbers).encode()), dtype=torch.uint8)
    return found


def restore_optimizer(optimizer: Steps, parameters: Parameters, tensors: Mapping[str, Tensor]) -> int:
    """Put back what `optimizer_tensors` gave, and give the number of updates so far."""
    numbers = json.loads(bytes(tensors[_NUMBERS].tolist())) if _NUMBERS in tensors else {}
    device = optimizer.param_groups[0]["params"][0].device
    for place, kept in _places(optimizer, parameters):
        start = f"{place}."
        for name, tensor in tensors.items():
            if name.startswith(start) and _is_own(name.removeprefix(start)):
                kept[name.removeprefix(start)] = tensor.to(device, copy=True)
        for name, number in numbers.items():
            if name.startswith(start) and _is_own(name.removeprefix(start)):
                kept[name.removeprefix(start)] = number
    return int(numbers.get("updates", 0))


def _places(optimizer: Steps, parameters: Parameters) -> Iterator[tuple[str, dict[str, Any]]]:
    for (name, own), group in zip(parameters.items(), optimizer.param_groups, strict=True):
        yield f"{name}.group", group
        for index, parameter in enumerate(own):
            place = name if len(own) == 1 else f"{name}.{index:04d}"
            yield place, optimizer.state[parameter]


def _is_own(key: str) -> bool:
    return "." not in key and key not in ("value", "ema", *_PASSING)
