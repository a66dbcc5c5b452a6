"""AdamW over the flat parameter buffers, with clipping and the loss scale that fp16 needs."""

import math

import torch
from torch import Tensor

from trainer.failure import NonFiniteError
from trainer.network import LoraNetwork

_FIRST_SCALE = 2.0**16
_GROWTH_STEPS = 2000


class Optimizer:
    """One fused AdamW step a group (betas .9/.999, eps 1e-8), gradients clipped over all groups together."""

    def __init__(
        self,
        network: LoraNetwork,
        *,
        learning_rates: dict[str, float],
        weight_decay: float,
        max_grad_norm: float,
        fp16: bool,
    ) -> None:
        self._network = network
        self._rates = {group: learning_rates[group] for group in network.groups}
        self._max_norm = max_grad_norm
        params = [{"params": [group.value], "lr": self._rates[name]} for name, group in network.groups.items()]
        self._adam = torch.optim.AdamW(params, weight_decay=weight_decay, fused=True)
        self._zero_gradients()
        self.loss_scale = _FIRST_SCALE if fp16 else 1.0
        self.good_steps = 0

    def backward(self, loss: Tensor) -> None:
        """Gradients of `loss` into the flat buffers."""
        (loss if self.loss_scale == 1 else loss * self.loss_scale).backward()

    def step(self, factor: float) -> bool:
        """One update at `factor` × the base learning rates. False when fp16 overflowed and the step was left out.

        Raises NonFiniteError when gradients are not finite for another reason.
        """
        fp16 = self._network_is_fp16
        gradients = [flat.grad for flat in self._network.flat if flat.grad is not None]
        if self.loss_scale != 1:
            torch._foreach_div_(gradients, self.loss_scale)
        norm = float(torch.linalg.vector_norm(torch.stack([gradient.norm() for gradient in gradients])))
        finite = math.isfinite(norm)
        if finite:
            self._update(gradients, norm, factor)
        elif not fp16 or self.loss_scale <= 1:
            raise NonFiniteError("the gradients are not finite")
        self._zero_gradients()
        if fp16:
            self._adapt_scale(finite)
        return finite

    def drop_gradients(self) -> None:
        """Forget what a step that must not be taken has left behind."""
        self._network.gather()
        self._zero_gradients()

    def tensors(self) -> dict[str, Tensor]:
        """Everything an exact resumption needs: values and both moments per group, live."""
        found: dict[str, Tensor] = {}
        for name, group in self._network.groups.items():
            state = self._adam.state.get(group.value, {})
            found[f"{name}.value"] = group.value.detach()
            for key in ("exp_avg", "exp_avg_sq", "step"):
                if key in state:
                    found[f"{name}.{key}"] = state[key]
        return found

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `tensors` gave."""
        for name, group in self._network.groups.items():
            with torch.no_grad():
                group.value.copy_(tensors[f"{name}.value"])
            if f"{name}.step" in tensors:
                state = {
                    key: tensors[f"{name}.{key}"].to(group.value.device) for key in ("step", "exp_avg", "exp_avg_sq")
                }
                self._adam.state[group.value] = state
        self._network.refresh()

    @property
    def _network_is_fp16(self) -> bool:
        return any(group.low.dtype == torch.float16 for group in self._network.groups.values())

    def _update(self, gradients: list[Tensor], norm: float, factor: float) -> None:
        if self._max_norm and norm > self._max_norm:
            torch._foreach_mul_(gradients, self._max_norm / (norm + 1e-6))
        for group, rate in zip(self._adam.param_groups, self._rates.values(), strict=True):
            group["lr"] = rate * factor
        self._adam.step()
        self._network.refresh()

    def _zero_gradients(self) -> None:
        for flat in self._network.flat:
            if flat.grad is not None:
                flat.grad.zero_()

    def _adapt_scale(self, finite: bool) -> None:
        self.good_steps = self.good_steps + 1 if finite else 0
        if not finite:
            self.loss_scale = max(1.0, self.loss_scale / 2)
        elif self.good_steps % _GROWTH_STEPS == 0:
            self.loss_scale *= 2
