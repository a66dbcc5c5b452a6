"""A layer's weight with a network at some weight, as WebUIs compute it."""

import torch
from torch import Tensor

from trainer.network.lora_weights import NetworkModule


def merged_weight(weight: Tensor, module: NetworkModule, multiplier: float) -> Tensor:
    """`weight` (out, in) or (out, in, kh, kw) with `module` at `multiplier`, in weight's precision.

    A DoRA at 0 … 1 lies on the straight line between the plain weight and the whole DoRA, as in A1111 1.10.
    """
    plain = weight.detach().float()
    change = module.change(weight.shape).to(plain.device)
    if module.dora_scale is None:
        return (plain + change.mul_(multiplier)).to(weight.dtype)
    whole = decomposed(plain + change, module.dora_scale.to(plain))
    return torch.lerp(plain, whole, multiplier).to(weight.dtype)


def decomposed(weight: Tensor, magnitude: Tensor) -> Tensor:
    """`weight` whose columns have the lengths `magnitude` (1, in, …); its rows, if that is (out, 1, …).

    The second form is what LyCORIS (`wd_on_output`) and PEFT write; A1111 1.10 would apply it to the wrong axis.
    """
    return weight * (magnitude / column_norm(weight, rows=magnitude.shape[0] == weight.shape[0] != 1))


def column_norm(weight: Tensor, *, rows: bool = False) -> Tensor:
    """Lengths of the columns, (1, in) or (1, in, 1, 1), over all that leads from one input; `rows`: (out, 1, …)."""
    kept = 0 if rows else 1
    over = [axis for axis in range(weight.ndim) if axis != kept]
    return torch.linalg.vector_norm(weight, dim=over, keepdim=True).clamp_min(torch.finfo(weight.dtype).tiny)
