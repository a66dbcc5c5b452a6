"""Several LoRAs at several weights in one forward: each sample of a batch gets its own, none needs merged weights."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MethodType, TracebackType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.lora_stack import LoraStack, stack_loras
from trainer.lora_weights import LoraWeights

Row = tuple[int | None, float]
"""Index of a LoRA (None: the base model) and its weight."""


class LoraBatch:
    """Adds to each target's output what the rows' LoRAs change; exact, and the base weights stay as they are.

    targets: kohya module name → Linear or Conv2d. Used as a context manager around forwards without gradients; rows are
    set per thread. `unknown` lists per LoRA the modules that `targets` lacks, which therefore have no effect.
    Raises Failure `lora_corrupt` when a module has another shape than its target.
    """

    def __init__(self, targets: dict[str, nn.Module], loras: Sequence[LoraWeights]) -> None:
        self.unknown = tuple(tuple(name for name in lora.modules if name not in targets) for lora in loras)
        self._local = threading.local()
        self._layers = [
            _Layer(name, module, stack_loras(name, module, [lora.modules.get(name) for lora in loras]), self._local)
            for name, module in targets.items()
            if any(name in lora.modules for lora in loras)
        ]

    def __enter__(self) -> "LoraBatch":
        for layer in self._layers:
            layer.attach()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for layer in self._layers:
            layer.detach()
        self._local.rows = None

    def set_rows(self, rows: Sequence[Row], *, forwards: int = 1) -> None:
        """Whose LoRA the samples of this thread's next forwards get; no rows: the base model.

        A batch of k · len(rows) samples gives each row k neighbours, such as the two of guidance or a prompt's chunks.
        Rows of one LoRA should be neighbours: each stretch of one LoRA costs one matrix product. forwards: how many
        will follow with these rows; a context tensor that is given to all of them must stay unchanged.
        """
        if not rows:
            self._local.rows = None
            return
        own_weights = forwards > 1 and len(rows) * sum(layer.bytes for layer in self._layers) <= _OWN_WEIGHTS_BYTES
        self._local.rows = _Rows(tuple(rows), _blocks(rows), own_weights)


_OWN_WEIGHTS_BYTES = 192 << 20
"""Up to this size rows get whole weights of their own: for a small model cheaper than low-rank products each time."""


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
    own_weights: bool
    weights: dict[str, Tensor] = field(default_factory=dict)
    constant: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)
    _factors: dict[Any, Tensor] = field(default_factory=dict)

    def factors(self, scales: tuple[float, ...], repeat: int, like: Tensor) -> Tensor:
        """weight · alpha / rank of each sample (samples,)."""
        key = (scales, repeat, like.dtype, like.device)
        if key not in self._factors:
            values = [0.0 if lora is None else weight * scales[lora] for lora, weight in self.rows]
            self._factors[key] = torch.tensor(values, dtype=like.dtype, device=like.device).repeat_interleave(repeat)
        return self._factors[key]


class _Layer:
    """One target, and what takes the place of its forward."""

    def __init__(self, name: str, module: nn.Module, stack: LoraStack, local: threading.local) -> None:
        assert isinstance(module, (nn.Linear, nn.Conv2d))
        self._name = name
        self._module = module
        self._stack = stack
        self._local = local
        self._forward = module.forward
        self._is_context = name.endswith(("_attn2_to_k", "_attn2_to_v"))
        self.bytes = module.weight.nbytes

    def attach(self) -> None:
        self._forward = self._module.forward
        self._module.forward = self._call  # type: ignore[method-assign, assignment]

    def detach(self) -> None:
        self._module.forward = self._forward  # type: ignore[method-assign]
        if self._forward == MethodType(type(self._module).forward, self._module):
            del self._module.forward

    def _call(self, x: Tensor) -> Tensor:
        rows: _Rows | None = getattr(self._local, "rows", None)
        if rows is None or not rows.blocks:
            return self._forward(x)
        if not self._is_context:
            return self._changed(x, rows)
        # Prompts are the same in all steps of a drawing, so their keys and values are as well.
        seen, y = rows.constant.get(self._name, (None, x))
        if seen is not x:
            y = self._changed(x, rows)
            rows.constant[self._name] = (x, y)
        return y

    def _changed(self, x: Tensor, rows: _Rows) -> Tensor:
        repeat, rest = divmod(x.shape[0], len(rows.rows))
        if rest:
            raise ValueError(f"{len(rows.rows)} rows do not divide a batch of {x.shape[0]}")
        if self._stack.down.ndim > 3:
            y = self._forward(x)
            assert isinstance(self._module, nn.Conv2d)
            return _add_convolution(self._module, x, y, self._stack, rows.factors(self._stack.scales, repeat, y), rows)
        if isinstance(self._module, nn.Conv2d):
            return self._linear(x, x.permute(0, 2, 3, 1), rows, repeat).permute(0, 3, 1, 2)
        return self._linear(x, x, rows, repeat)

    def _linear(self, x: Tensor, last: Tensor, rows: _Rows, repeat: int) -> Tensor:
        # `last` is x with its channels last, and so is the result.
        if rows.own_weights:
            return _multiply(last, self._own_weights(rows), self._module.bias)
        y = self._forward(x)
        factors = rows.factors(self._stack.scales, repeat, y)
        return _add_linear(last, y if last is x else y.permute(0, 2, 3, 1), self._stack, factors, rows, repeat)

    def _own_weights(self, rows: _Rows) -> Tensor:
        # (rows, in, out)
        if self._name not in rows.weights:
            weight = self._module.weight.flatten(1).T
            factors = rows.factors(self._stack.scales, 1, weight)
            loras = [lora or 0 for lora, _ in rows.rows]
            down = self._stack.down[loras] * factors[:, None, None]
            rows.weights[self._name] = torch.baddbmm(weight, down, self._stack.up[loras])
        return rows.weights[self._name]


def _multiply(x: Tensor, weights: Tensor, bias: Tensor | None) -> Tensor:
    # x (samples, …, in), weights (rows, in, out) with the samples of a row as neighbours.
    flat = x.reshape(weights.shape[0], -1, x.shape[-1])
    y = torch.bmm(flat, weights) if bias is None else torch.baddbmm(bias, flat, weights)
    return y.view(*x.shape[:-1], -1)


def _add_linear(x: Tensor, y: Tensor, stack: LoraStack, factors: Tensor, rows: _Rows, repeat: int) -> Tensor:
    # x (samples, …, in) and y (samples, …, out); y is a fresh output, so it may be changed in place.
    y = y.contiguous()
    for block in rows.blocks:
        loras = slice(block.first, block.first + block.count)
        samples = slice(block.start * repeat, block.stop * repeat)
        flat = x[samples].reshape(block.count, -1, x.shape[-1])
        hidden = torch.bmm(flat, stack.down[loras])
        hidden.view(samples.stop - samples.start, -1).mul_(factors[samples, None])
        y[samples].view(block.count, -1, y.shape[-1]).baddbmm_(hidden, stack.up[loras])
    return y


def _add_convolution(module: nn.Conv2d, x: Tensor, y: Tensor, stack: LoraStack, factors: Tensor, rows: _Rows) -> Tensor:
    repeat = x.shape[0] // len(rows.rows)
    for block in rows.blocks:
        for lora in range(block.first, block.first + block.count):
            start = block.start + (lora - block.first) * block.each
            samples = slice(start * repeat, (start + block.each) * repeat)
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
