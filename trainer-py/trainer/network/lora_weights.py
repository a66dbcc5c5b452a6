"""A network as numbers: what a LoRA file of any kind changes in each layer."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class LoraModule:
    """The change of one layer: up @ down · alpha / rank; with `dora_scale` a DoRA.

    down: (rank, in) of a linear layer, (rank, in, kh, kw) of a convolution; up: (out, rank) or (out, rank, 1, 1).
    dora_scale: the lengths that the columns of the changed weight get, (1, in) or (1, in, 1, 1).
    """

    down: Tensor
    up: Tensor
    alpha: float
    dora_scale: Tensor | None = None

    @property
    def kind(self) -> str:
        return "LoRA" if self.dora_scale is None else "DoRA"

    @property
    def rank(self) -> int:
        return self.down.shape[0]

    @property
    def scale(self) -> float:
        return self.alpha / self.rank

    def change(self, shape: torch.Size) -> Tensor:
        """What is added to a weight of `shape`, in float32; a DoRA's before its columns get their lengths."""
        return (self.up.float().flatten(1) @ self.down.float().flatten(1)).mul_(self.scale).view(shape)

    def tensors(self) -> dict[str, Tensor]:
        """The tensors by the ends of their keys, as kohya's and LyCORIS' files have them, without alpha."""
        return {"lora_down.weight": self.down, "lora_up.weight": self.up, **_magnitude(self.dora_scale)}


@dataclass(frozen=True)
class LohaModule:
    """The change of one layer: (w1_a @ w1_b) ∘ (w2_a @ w2_b) · alpha / rank (LyCORIS, arXiv 2309.14859).

    w1_a, w2_a: (out, rank); w1_b, w2_b: (rank, in · kh · kw). With Tucker kernels t1, t2 (rank, rank, kh, kw) instead
    w1_a, w2_a: (rank, out) and w1_b, w2_b: (rank, in).
    """

    w1_a: Tensor
    w1_b: Tensor
    w2_a: Tensor
    w2_b: Tensor
    alpha: float
    t1: Tensor | None = None
    t2: Tensor | None = None
    dora_scale: Tensor | None = None

    @property
    def kind(self) -> str:
        return "LoHa"

    @property
    def rank(self) -> int:
        return self.w1_b.shape[0]

    @property
    def scale(self) -> float:
        return self.alpha / self.rank

    def change(self, shape: torch.Size) -> Tensor:
        """What is added to a weight of `shape`, in float32."""
        first, second = _product(self.w1_a, self.w1_b, self.t1), _product(self.w2_a, self.w2_b, self.t2)
        return (first * second).mul_(self.scale).view(shape)

    def tensors(self) -> dict[str, Tensor]:
        """The tensors by the ends of their keys, as LyCORIS' files have them, without alpha."""
        tucker = {"hada_t1": self.t1, "hada_t2": self.t2}
        return {
            "hada_w1_a": self.w1_a,
            "hada_w1_b": self.w1_b,
            "hada_w2_a": self.w2_a,
            "hada_w2_b": self.w2_b,
            **{key: tensor for key, tensor in tucker.items() if tensor is not None},
            **_magnitude(self.dora_scale),
        }


@dataclass(frozen=True)
class LokrModule:
    """The change of one layer: w1 ⊗ w2 · alpha / rank (LyCORIS), each of both whole or as a product of two.

    w1: (a, c) or w1_a (a, rank) and w1_b (rank, c); w2: (b, d) or (b, d, kh, kw), or w2_a (b, rank) and w2_b
    (rank, d · kh · kw), or with t2 (rank, rank, kh, kw) w2_a (rank, b) and w2_b (rank, d); out = a · b, in = c · d.
    Without any product the scale is 1.
    """

    alpha: float
    w1: Tensor | None = None
    w1_a: Tensor | None = None
    w1_b: Tensor | None = None
    w2: Tensor | None = None
    w2_a: Tensor | None = None
    w2_b: Tensor | None = None
    t2: Tensor | None = None
    dora_scale: Tensor | None = None

    @property
    def kind(self) -> str:
        return "LoKr"

    @property
    def rank(self) -> int:
        """0 when both factors are whole."""
        inner = self.w2_b if self.w2_b is not None else self.w1_b
        return 0 if inner is None else inner.shape[0]

    @property
    def scale(self) -> float:
        return self.alpha / self.rank if self.rank else 1.0

    def change(self, shape: torch.Size) -> Tensor:
        """What is added to a weight of `shape`, in float32."""
        first = _factor(self.w1, self.w1_a, self.w1_b, None)
        second = _factor(self.w2, self.w2_a, self.w2_b, self.t2)
        out, inside = shape[0] // first.shape[0], shape[1] // first.shape[1]
        second = second.reshape(1, out, 1, inside, -1)
        return (first[:, None, :, None, None] * second).mul_(self.scale).reshape(shape)

    def tensors(self) -> dict[str, Tensor]:
        """The tensors by the ends of their keys, as LyCORIS' files have them, without alpha."""
        found = {
            "lokr_w1": self.w1,
            "lokr_w1_a": self.w1_a,
            "lokr_w1_b": self.w1_b,
            "lokr_w2": self.w2,
            "lokr_w2_a": self.w2_a,
            "lokr_w2_b": self.w2_b,
            "lokr_t2": self.t2,
        }
        whole = {key: tensor for key, tensor in found.items() if tensor is not None}
        return {**whole, **_magnitude(self.dora_scale)}


NetworkModule = LoraModule | LohaModule | LokrModule


@dataclass(frozen=True)
class LoraWeights:
    """All changes of one network by kohya module name."""

    modules: dict[str, NetworkModule]


def _magnitude(dora_scale: Tensor | None) -> dict[str, Tensor]:
    return {} if dora_scale is None else {"dora_scale": dora_scale}


def _product(a: Tensor, b: Tensor, tucker: Tensor | None) -> Tensor:
    if tucker is None:
        return a.float() @ b.float().flatten(1)
    return torch.einsum("ijkl,ip,jr->prkl", tucker.float(), a.float(), b.float())


def _factor(whole: Tensor | None, a: Tensor | None, b: Tensor | None, tucker: Tensor | None) -> Tensor:
    if whole is not None:
        return whole.float()
    assert a is not None and b is not None
    return _product(a, b, tucker)
