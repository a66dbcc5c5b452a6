"""LoRAs of seeded random numbers."""

import torch
from torch import nn

from trainer.lora_weights import LoraModule, LoraWeights


def random_lora(
    targets: dict[str, nn.Module], *, rank: int, alpha: float, seed: int, size: float = 0.02
) -> LoraWeights:
    """A LoRA over `targets` whose change of each layer is about `size` at alpha = rank."""
    source = torch.Generator().manual_seed(seed)
    modules = {}
    for name, target in targets.items():
        out, inside, *kernel = target.weight.shape
        down = torch.randn(rank, inside, *kernel, generator=source) / rank**0.5
        up = torch.randn(out, rank, *(1 for _ in kernel), generator=source) * size
        modules[name] = LoraModule(down=down, up=up, alpha=alpha)
    return LoraWeights(modules)
