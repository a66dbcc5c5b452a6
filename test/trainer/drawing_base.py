"""A tiny base model and its targets for the tests of drawing."""

from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import torch
from torch import nn

from tiny_checkpoint import write_tiny_checkpoint
from trainer.model.base_model import BaseModel, load_base_model
from trainer.network.targets import lora_targets


@cache
def tiny_base() -> BaseModel:
    """The tiny checkpoint in float32 on the CPU, loaded once for all tests."""
    path = write_tiny_checkpoint(Path(mkdtemp(prefix="tiny-base-")))
    base = load_base_model(path, device=torch.device("cpu"), dtype=torch.float32)
    for module in base.unet.modules():
        if isinstance(module, nn.GroupNorm):
            # 32 groups of these few channels would normalise single numbers, which turns rounding into noise.
            module.num_groups = 4
    return base


def all_targets(base: BaseModel) -> dict[str, nn.Module]:
    return lora_targets(base.unet, base.text_encoders, convolutions=True)


def plain_targets(base: BaseModel) -> dict[str, nn.Module]:
    return lora_targets(base.unet, base.text_encoders)
