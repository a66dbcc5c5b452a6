"""The LoRA in training: float32 masters in one flat buffer per learning rate, hooked into the base model's layers."""

import math
import threading
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
    """All trained numbers of one group: `value` and its gradient are single float32 tensors, modules hold views.

    Each of the `hands` that work on a batch side by side has a gradient of its own; the first one's is that of `value`.
    """

    def __init__(self, count: int, *, device: torch.device, dtype: torch.dtype, hands: int) -> None:
        self.value = torch.zeros(count, device=device, requires_grad=True)
        self._gradients = [torch.zeros(count, device=device) for _ in range(hands)]
        self.value.grad = self._gradients[0]
        plain = self.value.detach()
        self.low = plain if dtype == torch.float32 else plain.to(dtype)

    def refresh(self) -> None:
        """Bring the low-precision copy up to date after a change of `value`."""
        if self.low.dtype != torch.float32:
            self.low.copy_(self.value.detach())

    def gather(self) -> None:
        """Add the other hands' gradients to the first one's, always in the same order, and empty them."""
        for other in self._gradients[1:]:
            self._gradients[0].add_(other)
            other.zero_()

    def views(self, at: int, shape: tuple[int, int]) -> tuple[list[Tensor], Tensor]:
        """Per hand a leaf over `value[at:]` whose gradient lies in its flat one; and the low-precision view."""
        end = at + shape[0] * shape[1]
        leaves = []
        for gradient in self._gradients:
            leaf = self.value.detach()[at:end].view(shape).requires_grad_()
            leaf.grad = gradient[at:end].view(shape)
            leaves.append(leaf)
        return leaves, self.low[at:end].view(shape)


class LoraNetwork:
    """Wraps `targets` for training; with up at zero it starts as no change at all.

    targets: kohya module name → Linear or 1×1 convolution. alpha / dim scales the change, as in kohya.
    hands: threads that may run forward and backward at the same time, each after `take_hand`.
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
        hands: int = 1,
    ) -> None:
        self.enabled = True
        self.hands = hands
        self._thread = threading.local()
        self.alpha = alpha
        self._targets = {name: _target(module) for name, module in targets.items()}
        self._scale = alpha / dim
        self._dim = dim
        self.groups = {
            group: FlatParameters(self._count(prefix), device=device, dtype=dtype, hands=hands)
            for prefix, group in GROUPS.items()
            if self._count(prefix)
        }
        self._parts: dict[str, list[Parts]] = {}
        self._place(seed)
        self._attach()

    @property
    def flat(self) -> list[Tensor]:
        return [group.value for group in self.groups.values()]

    def weights(self) -> LoraWeights:
        """The present LoRA as live views in float32, no copy; 1×1 convolutions have kohya's 4-dimensional shapes."""
        return LoraWeights({name: self._module(name) for name in self._parts})

    def take_hand(self, hand: int) -> None:
        """From now on this thread's gradients go to hand `hand` (0 … hands − 1); a thread that takes none is hand 0."""
        self._thread.hand = hand

    def gather(self) -> None:
        """Bring the gradients of all hands together in the flat ones."""
        for group in self.groups.values():
            group.gather()

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
            downs, down_low = self.groups[group].views(at[group], (self._dim, inside))
            at[group] += self._dim * inside
            ups, up_low = self.groups[group].views(at[group], (outside, self._dim))
            at[group] += self._dim * outside
            bound = 1 / math.sqrt(inside)  # kaiming_uniform with a = √5
            with torch.no_grad():
                downs[0].copy_((torch.rand(downs[0].shape, generator=source) * 2 - 1) * bound)
            self._parts[name] = [(down, up, down_low, up_low) for down, up in zip(downs, ups, strict=True)]
        self.refresh()

    def _attach(self) -> None:
        for name, module in self._targets.items():
            forward = partial(self._forward, module, module.forward, self._parts[name])
            module.forward = forward  # type: ignore[method-assign]

    def _forward(self, module: Target, original: Callable[[Tensor], Tensor], by_hand: list[Parts], x: Tensor) -> Tensor:
        if not self.enabled:
            return original(x)
        parts = by_hand[getattr(self._thread, "hand", 0)]
        if isinstance(module, nn.Linear):
            return FusedLora.apply(x, module.weight, module.bias, *parts, self._scale)
        # A 1×1 convolution over channels-last memory is the same linear layer without a copy.
        rows = x.permute(0, 2, 3, 1)
        y = FusedLora.apply(rows, module.weight.flatten(1), module.bias, *parts, self._scale)
        return y.permute(0, 3, 1, 2)

    def _module(self, name: str) -> LoraModule:
        down, up, _, _ = self._parts[name][0]
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
