"""LoRAs of random numbers, as large as trained ones."""

from typing import cast

import torch
from torch import Tensor, nn

from trainer.network.lora_weights import LoraModule, LoraWeights, NetworkModule


def random_lora(targets: dict[str, nn.Module], *, rank: int, alpha: float, seed: int, size: float) -> LoraWeights:
    """A LoRA over `targets`, the same for the same seed.

    At alpha = rank its change turns inputs of unit variance into changes of standard deviation `size`.
    """
    source = torch.Generator().manual_seed(seed)
    modules: dict[str, NetworkModule] = {}
    for name, target in targets.items():
        weight = cast(Tensor, target.weight)
        out, inside, *kernel = weight.shape
        down = torch.randn(rank, inside, *kernel, generator=source) / (weight[0].numel()) ** 0.5
        up = torch.randn(out, rank, *(1 for _ in kernel), generator=source) * size / rank**0.5
        modules[name] = LoraModule(down=down, up=up, alpha=alpha)
    return LoraWeights(modules)
