"""A check before numbers are believed."""

import torch
from torch import Tensor


def finite(tensors: dict[str, Tensor]) -> bool:
    """Whether every number is finite."""
    return all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values())
