"""kohya's `scale_weight_norms`: a change that has grown too large is scaled down after each step."""

from collections.abc import Mapping

import torch
from torch import Tensor

from trainer.network.lora_weights import LohaModule, LoraModule, NetworkModule


def limit_norms(modules: Mapping[str, NetworkModule], shapes: Mapping[str, torch.Size], max_norm: float) -> int:
    """Scale each change whose Frobenius norm is above `max_norm` down to it, in place; how many were.

    modules hold live tensors, shapes are those of their layers' weights. The scale is shared by a module's factors as
    in kohya (both halves of a LoRA alike) and LyCORIS (LoHa's first factor, all of LoKr's).
    """
    with torch.no_grad():
        norms = torch.stack([_norm(module, shapes[name]) for name, module in modules.items()])
        ratios = (max_norm / norms).clamp(max=1.0).tolist()
        count = 0
        for module, ratio in zip(modules.values(), ratios, strict=True):
            if ratio < 1:
                count += 1
                factors = _factors(module)
                torch._foreach_mul_(factors, ratio ** (1 / len(factors)))
    return count


def _norm(module: NetworkModule, shape: torch.Size) -> Tensor:
    if isinstance(module, LoraModule):
        # ‖BA‖² = Σ (BᵀB) ∘ (AAᵀ) needs no tensor of the layer's size.
        up, down = module.up.flatten(1), module.down.flatten(1)
        square = ((up.T @ up) * (down @ down.T)).sum().clamp_min(0)
        return square.sqrt().mul_(module.scale)
    return torch.linalg.vector_norm(module.change(shape))


def _factors(module: NetworkModule) -> list[Tensor]:
    if isinstance(module, LoraModule):
        return [module.down, module.up]
    if isinstance(module, LohaModule):
        return [module.w1_a]
    return [tensor for role, tensor in module.tensors().items() if role != "dora_scale"]
