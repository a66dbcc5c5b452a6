"""Several LoRAs at several weights in one forward: each sample of a batch gets its own, none needs merged weights."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.failure import Failure
from trainer.lora_weights import LoraModule, LoraWeights

Row = tuple[int | None, float]
"""Index of a LoRA (None: the base model) and its weight."""


class LoraBatch:
    """Adds to each target's output what the rows' LoRAs change; exact, without copies of the base weights.

    targets: kohya module name → Linear or Conv2d. Used as a context manager around forwards without gradients; rows are
    set per thread. `unknown` lists per LoRA the modules that `targets` lacks, which therefore have no effect.
    Raises Failure `lora_corrupt` when a module has another shape than its target.
    """

    def __init__(self, targets: dict[str, nn.Module], loras: Sequence[LoraWeights]) -> None:
        self.unknown = tuple(tuple(name for name in lora.modules if name not in targets) for lora in loras)
        self._stacks = {
            name: _stack(name, module, [lora.modules.get(name) for lora in loras])
            for name, module in targets.items()
            if any(name in lora.modules for lora in loras)
        }
        self._targets = targets
        self._hooks: list[Any] = []
        self._local = threading.local()

    def __enter__(self) -> "LoraBatch":
        for name, stack in self._stacks.items():
            self._hooks.append(self._targets[name].register_forward_hook(_Change(stack, self._local)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()
        self._local.rows = None

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Whose LoRA the samples of this thread's next forwards get; no rows: the base model.

        A batch of k · len(rows) samples gives each row k neighbours, such as the two of guidance or a prompt's chunks.
        Rows of one LoRA should be neighbours: each stretch of one LoRA costs one matrix product.
        """
        self._local.rows = _Rows(tuple(rows), _blocks(rows)) if rows else None


@dataclass(frozen=True)
class _Stack:
    """One target's LoRAs, padded with zeros to one rank.

    down: (loras, in, rank), or (loras, rank, in, kh, kw) of a convolution with a kernel; up: (loras, rank, out).
    """

    down: Tensor
    up: Tensor
    scales: tuple[float, ...]


@dataclass(frozen=True)
class _Block:
    """Neighbouring rows `start`–`stop` that hold the LoRAs `first`, `first` + 1 …, `each` rows of each."""

    first: int
    count: int
    start: int
    each: int

    @property
    def stop(self) -> int:
        return self.start + self.count * self.each


@dataclass
class _Rows:
    rows: tuple[Row, ...]
    blocks: list[_Block]
    _factors: dict[Any, Tensor] = field(default_factory=dict)

    def factors(self, scales: tuple[float, ...], repeat: int, like: Tensor) -> Tensor:
        """weight · alpha / rank of each sample (samples,)."""
        key = (scales, repeat, like.dtype, like.device)
        if key not in self._factors:
            values = [0.0 if lora is None else weight * scales[lora] for lora, weight in self.rows]
            self._factors[key] = torch.tensor(values, dtype=like.dtype, device=like.device).repeat_interleave(repeat)
        return self._factors[key]


class _Change:
    """The forward hook of one target."""

    def __init__(self, stack: _Stack, local: threading.local) -> None:
        self._stack = stack
        self._local = local

    def __call__(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        rows: _Rows | None = getattr(self._local, "rows", None)
        if rows is None or not rows.blocks:
            return output
        (x,) = inputs
        repeat, rest = divmod(x.shape[0], len(rows.rows))
        if rest:
            raise ValueError(f"{len(rows.rows)} rows do not divide a batch of {x.shape[0]}")
        factors = rows.factors(self._stack.scales, repeat, output)
        blocks = [_Block(b.first, b.count, b.start * repeat, b.each * repeat) for b in rows.blocks]
        if isinstance(module, nn.Linear):
            return _add_linear(x, output, self._stack, factors, blocks)
        if self._stack.down.ndim == 3:
            y = _add_linear(x.permute(0, 2, 3, 1), output.permute(0, 2, 3, 1), self._stack, factors, blocks)
            return y.permute(0, 3, 1, 2)
        assert isinstance(module, nn.Conv2d)
        return _add_convolution(module, x, output, self._stack, factors, blocks)


def _add_linear(x: Tensor, y: Tensor, stack: _Stack, factors: Tensor, blocks: list[_Block]) -> Tensor:
    # x (samples, …, in) and y (samples, …, out); y is a fresh output, so it may be changed in place.
    y = y.contiguous()
    for block in blocks:
        loras = slice(block.first, block.first + block.count)
        samples = slice(block.start, block.stop)
        flat = x[samples].reshape(block.count, -1, x.shape[-1])
        hidden = torch.bmm(flat, stack.down[loras])
        hidden.view(block.stop - block.start, -1).mul_(factors[samples, None])
        y[samples].view(block.count, -1, y.shape[-1]).baddbmm_(hidden, stack.up[loras])
    return y


def _add_convolution(
    module: nn.Conv2d, x: Tensor, y: Tensor, stack: _Stack, factors: Tensor, blocks: list[_Block]
) -> Tensor:
    for block in blocks:
        for offset in range(block.count):
            lora = block.first + offset
            samples = slice(block.start + offset * block.each, block.start + (offset + 1) * block.each)
            hidden = F.conv2d(x[samples], stack.down[lora], None, module.stride, module.padding, module.dilation)
            hidden = hidden * factors[samples, None, None, None]
            y[samples] += F.conv2d(hidden, stack.up[lora].T[:, :, None, None])
    return y


def _blocks(rows: Sequence[Row]) -> list[_Block]:
    runs: list[tuple[int, int, int]] = []  # lora, start, length
    for index, (lora, weight) in enumerate(rows):
        if lora is None or weight == 0:
            continue
        if runs and runs[-1][0] == lora and runs[-1][1] + runs[-1][2] == index:
            runs[-1] = (lora, runs[-1][1], runs[-1][2] + 1)
        else:
            runs.append((lora, index, 1))
    blocks: list[_Block] = []
    for lora, start, length in runs:
        last = blocks[-1] if blocks else None
        if last and last.stop == start and last.each == length and last.first + last.count == lora:
            blocks[-1] = _Block(last.first, last.count + 1, last.start, length)
        else:
            blocks.append(_Block(lora, 1, start, length))
    return blocks


def _stack(name: str, target: nn.Module, modules: list[LoraModule | None]) -> _Stack:
    assert isinstance(target, (nn.Linear, nn.Conv2d))
    weight: Tensor = target.weight
    present = [module for module in modules if module is not None]
    for some in present:
        _check_shape(name, weight, some)
    rank = max(module.rank for module in present)
    kernel = tuple(weight.shape[2:]) if weight.ndim == 4 and weight.shape[2:].numel() > 1 else ()
    inside, outside = weight.shape[1], weight.shape[0]
    down = weight.new_zeros((len(modules), rank, inside, *kernel))
    up = weight.new_zeros((len(modules), rank, outside))
    for index, module in enumerate(modules):
        if module is not None:
            down[index, : module.rank] = module.down.detach().to(down).reshape(module.rank, inside, *kernel)
            up[index, : module.rank] = module.up.detach().to(up).reshape(outside, module.rank).T
    scales = tuple(0.0 if module is None else module.scale for module in modules)
    return _Stack(down if kernel else down.transpose(1, 2).contiguous(), up, scales)


def _check_shape(name: str, weight: Tensor, module: LoraModule) -> None:
    down = module.rank * weight[0].numel()
    if (
        module.down.numel() == down
        and module.down.shape[1] == weight.shape[1]
        and module.up.shape[0] == weight.shape[0]
    ):
        return
    raise Failure(
        "lora_corrupt",
        f"Expected a LoRA for a layer of {tuple(weight.shape)} at {name}, found down {tuple(module.down.shape)} and up "
        f"{tuple(module.up.shape)}; it was made for another base model, so choose that one.",
    )
