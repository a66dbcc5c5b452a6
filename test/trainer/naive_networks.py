"""Networks by the formulas of their papers and programs, written plainly and in whatever precision comes in."""

import torch
from torch import Tensor


def naive_weight(weight: Tensor, tensors: dict[str, Tensor], scale: float, multiplier: float = 1.0) -> Tensor:
    """A layer's weight with the network of `tensors` (ends of the keys in files) at `multiplier`, as A1111 makes it."""
    change = _change(weight, tensors) * scale
    if "dora_scale" not in tensors:
        return weight + multiplier * change
    whole = weight + change
    magnitude = tensors["dora_scale"]
    if magnitude.shape[0] == weight.shape[0]:
        norm = whole.flatten(1).norm(dim=1).reshape(magnitude.shape)
    else:
        norm = whole.transpose(0, 1).flatten(1).norm(dim=1).reshape(magnitude.shape)
    return weight + multiplier * (whole * magnitude / norm - weight)


def _change(weight: Tensor, tensors: dict[str, Tensor]) -> Tensor:
    if "lora_up.weight" in tensors:
        up, down = tensors["lora_up.weight"], tensors["lora_down.weight"]
        if weight.ndim == 4 and down.ndim == 4:
            return torch.nn.functional.conv2d(down.permute(1, 0, 2, 3), up.flatten(1)[:, :, None, None]).permute(
                1, 0, 2, 3
            )
        return (up.flatten(1) @ down.flatten(1)).reshape(weight.shape)
    if "hada_w1_a" in tensors:
        first = tensors["hada_w1_a"] @ tensors["hada_w1_b"]
        return (first * (tensors["hada_w2_a"] @ tensors["hada_w2_b"])).reshape(weight.shape)
    first = tensors["lokr_w1"] if "lokr_w1" in tensors else tensors["lokr_w1_a"] @ tensors["lokr_w1_b"]
    second = tensors["lokr_w2"] if "lokr_w2" in tensors else tensors["lokr_w2_a"] @ tensors["lokr_w2_b"]
    out, inside = weight.shape[0] // first.shape[0], weight.shape[1] // first.shape[1]
    second = second.reshape(out, inside, *weight.shape[2:])
    return torch.kron(first[(...,) + (None,) * (second.ndim - 2)], second.contiguous())
