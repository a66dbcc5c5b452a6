"""One layer of the base model in which each row of a batch has its own network."""

import threading
from collections.abc import Sequence
from types import MethodType

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.grid.lora_rows import Rows
from trainer.grid.lora_stack import LoraStack, stack_loras
from trainer.network.lora_weights import LoraModule, NetworkModule
from trainer.network.merged_weight import merged_weight
from trainer.network.module_fit import check_fit


class LoraLayer:
    """The target `module` and what takes the place of its forward; `rows` of the thread say whose network counts.

    LoRA and LoCon are batched as low-rank products. Other kinds have no such form, so each stretch of one network at
    one weight gets a weight of its own. Raises Failure `lora_corrupt` when a network has another shape.
    """

    def __init__(
        self, name: str, module: nn.Module, networks: Sequence[NetworkModule | None], local: threading.local
    ) -> None:
        assert isinstance(module, (nn.Linear, nn.Conv2d))
        for network in networks:
            if network is not None:
                check_fit(name, network, module.weight)
        low_rank = [one if isinstance(one, LoraModule) and one.dora_scale is None else None for one in networks]
        self._stack = stack_loras(module, low_rank) if any(low_rank) else None
        self._whole = {at: one for at, one in enumerate(networks) if one is not None and low_rank[at] is None}
        self._name = name
        self._module = module
        self._local = local
        self._forward = module.forward
        self._is_context = name.endswith(("_attn2_to_k", "_attn2_to_v"))
        self._has_kernel = isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1)
        self.bytes = module.weight.nbytes

    def attach(self) -> None:
        self._forward = self._module.forward
        self._module.forward = self._call  # type: ignore[method-assign, assignment]

    def detach(self) -> None:
        self._module.forward = self._forward  # type: ignore[method-assign]
        if self._forward == MethodType(type(self._module).forward, self._module):
            del self._module.forward

    def _call(self, x: Tensor) -> Tensor:
        rows: Rows | None = getattr(self._local, "rows", None)
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

    def _changed(self, x: Tensor, rows: Rows) -> Tensor:
        repeat, rest = divmod(x.shape[0], len(rows.rows))
        if rest:
            raise ValueError(f"{len(rows.rows)} rows do not divide a batch of {x.shape[0]}")
        if not self._has_kernel and rows.own_weights:
            last = x.permute(0, 2, 3, 1) if isinstance(self._module, nn.Conv2d) else x
            y = _multiply(last, self._own_weights(rows), self._module.bias)
            return y.permute(0, 3, 1, 2) if isinstance(self._module, nn.Conv2d) else y
        y = self._forward(x)
        if self._stack is not None:
            y = self._add_low_rank(x, y, self._stack, rows, repeat)
        for (lora, weight), place in rows.stretches():
            if lora in self._whole:
                samples = slice(place.start * repeat, place.stop * repeat)
                y[samples] = self._apply(x[samples], self._whole_weight(lora, weight, rows))
        return y

    def _add_low_rank(self, x: Tensor, y: Tensor, stack: LoraStack, rows: Rows, repeat: int) -> Tensor:
        factors = rows.factors(stack.scales, repeat, y)
        if self._has_kernel:
            assert isinstance(self._module, nn.Conv2d)
            return _add_convolution(self._module, x, y, stack, factors, rows)
        if isinstance(self._module, nn.Conv2d):
            last = _add_linear(x.permute(0, 2, 3, 1), y.permute(0, 2, 3, 1), stack, factors, rows, repeat)
            return last.permute(0, 3, 1, 2)
        return _add_linear(x, y, stack, factors, rows, repeat)

    def _own_weights(self, rows: Rows) -> Tensor:
        # (rows, in, out)
        if self._name not in rows.weights:
            weight = self._module.weight.flatten(1).T
            if self._stack is None:
                own = weight.repeat(len(rows.rows), 1, 1)
            else:
                factors = rows.factors(self._stack.scales, 1, weight)
                loras = [lora or 0 for lora, _ in rows.rows]
                own = torch.baddbmm(weight, self._stack.down[loras] * factors[:, None, None], self._stack.up[loras])
            for (lora, multiplier), place in rows.stretches():
                if lora in self._whole:
                    own[place] = self._merged(lora, multiplier).flatten(1).T
            rows.weights[self._name] = own
        return rows.weights[self._name]

    def _whole_weight(self, lora: int, weight: float, rows: Rows) -> Tensor:
        if not rows.own_weights:
            return self._merged(lora, weight)
        key = (self._name, lora, weight)
        if key not in rows.weights:
            rows.weights[key] = self._merged(lora, weight)
        return rows.weights[key]

    def _merged(self, lora: int, weight: float) -> Tensor:
        return merged_weight(self._module.weight, self._whole[lora], weight)

    def _apply(self, x: Tensor, weight: Tensor) -> Tensor:
        module = self._module
        if isinstance(module, nn.Linear):
            return F.linear(x, weight, module.bias)
        return F.conv2d(x, weight, module.bias, module.stride, module.padding, module.dilation)


def _multiply(x: Tensor, weights: Tensor, bias: Tensor | None) -> Tensor:
    # x (samples, …, in), weights (rows, in, out) with the samples of a row as neighbours.
    flat = x.reshape(weights.shape[0], -1, x.shape[-1])
    y = torch.bmm(flat, weights) if bias is None else torch.baddbmm(bias, flat, weights)
    return y.view(*x.shape[:-1], -1)


def _add_linear(x: Tensor, y: Tensor, stack: LoraStack, factors: Tensor, rows: Rows, repeat: int) -> Tensor:
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


def _add_convolution(module: nn.Conv2d, x: Tensor, y: Tensor, stack: LoraStack, factors: Tensor, rows: Rows) -> Tensor:
    repeat = x.shape[0] // len(rows.rows)
    for block in rows.blocks:
        loras, count, each = slice(block.first, block.first + block.count), block.count, block.each * repeat
        samples = slice(block.start * repeat, block.stop * repeat)
        # The LoRAs of a block are the groups of one convolution, its samples those of one LoRA.
        down = stack.down[loras].flatten(0, 1)
        up = stack.up[loras].transpose(1, 2).flatten(0, 1)[:, :, None, None]
        beside = _beside(x[samples], count, each)
        hidden = F.conv2d(beside, down, None, module.stride, module.padding, module.dilation, count)
        hidden = hidden.unflatten(1, (count, -1)) * factors[samples].view(count, each).T[:, :, None, None, None]
        change = F.conv2d(hidden.flatten(1, 2), up, groups=count)
        y[samples] += change.unflatten(1, (count, -1)).transpose(0, 1).flatten(0, 1)
    return y


def _beside(x: Tensor, count: int, each: int) -> Tensor:
    # (count · each, in, h, w) → (each, count · in, h, w)
    return x if count == 1 else x.unflatten(0, (count, each)).transpose(0, 1).flatten(1, 2)
