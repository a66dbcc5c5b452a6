"""The LoRA in training: float32 masters in one flat buffer per learning rate, hooked into the base model's layers."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn

from trainer.fused_lora import FusedLora
from trainer.lora_weights import LoraModule, LoraWeights
from trainer.randomness import generator

Target = nn.Linear | nn.Conv2d
Parts = tuple[Tensor, Tensor, Tensor, Tensor]

GROUPS = {"lora_unet_": "unet", "lora_te_": "text_encoder"}


class FlatParameters:
    """All trained numbers of one group: `value` and its gradient are single float32 tensors, modules hold views."""

    def __init__(self, count: int, *, device: torch.device, dtype: torch.dtype) -> None:
        self.value = torch.zeros(count, device=device, requires_grad=True)
        self.value.grad = torch.zeros(count, device=device)
        plain = self.value.detach()
        self.low = plain if dtype == torch.float32 else plain.to(dtype)

    def refresh(self) -> None:
        """Bring the low-precision copy up to date after a change of `value`."""
        if self.low.dtype != torch.float32:
            self.low.copy_(self.value.detach())

    def view(self, at: int, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """A leaf over `value[at:]` whose gradient lies in the flat gradient, and the matching low-precision view."""
        end = at + shape[0] * shape[1]
        leaf = self.value.detach()[at:end].view(shape).requires_grad_()
        assert self.value.grad is not None
        leaf.grad = self.value.grad[at:end].view(shape)
        return leaf, self.low[at:end].view(shape)


class LoraNetwork:
    """Wraps `targets` for training; with up at zero it starts as no change at all.

    targets: kohya module name → Linear or 1×1 convolution. alpha / dim scales the change, as in kohya.
    """

    def __init__(
        self,
        targets: Mapping[str, nn.Module],
        *,
        dim: int,
        alpha: float,
        seed: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.enabled = True
        self.alpha = alpha
        self._targets = {name: _target(module) for name, module in targets.items()}
        self._scale = alpha / dim
        self._dim = dim
        self.groups = {
            group: FlatParameters(self._count(prefix), device=device, dtype=dtype)
            for prefix, group in GROUPS.items()
            if self._count(prefix)
        }
        self._parts: dict[str, Parts] = {}
        self._place(seed)
        self._attach()

    @property
    def flat(self) -> list[Tensor]:
        return [group.value for group in self.groups.values()]

    def weights(self) -> LoraWeights:
        """The present LoRA as live views in float32, no copy; 1×1 convolutions have kohya's 4-dimensional shapes."""
        return LoraWeights({name: self._module(name) for name in self._parts})

    def refresh(self) -> None:
        """To be called after each change of the masters."""
        for group in self.groups.values():
            group.refresh()

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """The base model alone."""
        before, self.enabled = self.enabled, False
        try:
            yield
        finally:
            self.enabled = before

    def _count(self, prefix: str) -> int:
        return sum(self._dim * sum(_sizes(module)) for name, module in self._targets.items() if name.startswith(prefix))

    def _place(self, seed: int) -> None:
        at = dict.fromkeys(self.groups, 0)
        source = generator(seed, "network")
        for name, module in self._targets.items():
            group = next(group for prefix, group in GROUPS.items() if name.startswith(prefix))
            inside, outside = _sizes(module)
            down, down_low = self.groups[group].view(at[group], (self._dim, inside))
            at[group] += self._dim * inside
            up, up_low = self.groups[group].view(at[group], (outside, self._dim))
            at[group] += self._dim * outside
            bound = 1 / math.sqrt(inside)  # kaiming_uniform with a = √5
            with torch.no_grad():
                down.copy_((torch.rand(down.shape, generator=source) * 2 - 1) * bound)
            self._parts[name] = (down, up, down_low, up_low)
        self.refresh()

    def _attach(self) -> None:
        for name, module in self._targets.items():
            forward = partial(self._forward, module, module.forward, self._parts[name])
            module.forward = forward  # type: ignore[method-assign]

    def _forward(self, module: Target, original: Callable[[Tensor], Tensor], parts: Parts, x: Tensor) -> Tensor:
        if not self.enabled:
            return original(x)
        if isinstance(module, nn.Linear):
            return FusedLora.apply(x, module.weight, module.bias, *parts, self._scale)
        # A 1×1 convolution over channels-last memory is the same linear layer without a copy.
        rows = x.permute(0, 2, 3, 1)
        y = FusedLora.apply(rows, module.weight.flatten(1), module.bias, *parts, self._scale)
        return y.permute(0, 3, 1, 2)

    def _module(self, name: str) -> LoraModule:
        down, up, _, _ = self._parts[name]
        down, up = down.detach(), up.detach()
        if isinstance(self._targets[name], nn.Conv2d):
            down, up = down[:, :, None, None], up[:, :, None, None]
        return LoraModule(down=down, up=up, alpha=self.alpha)


def _target(module: nn.Module) -> Target:
    if isinstance(module, nn.Linear) or (isinstance(module, nn.Conv2d) and module.kernel_size == (1, 1)):
        return module
    raise TypeError("LoRA targets are Linear layers or 1×1 convolutions")


def _sizes(module: Target) -> tuple[int, int]:
    if isinstance(module, nn.Linear):
        return module.in_features, module.out_features
    return module.in_channels, module.out_channels
