"""One optimizer over the flat parameter buffers, with clipping, the average, and the loss scale that fp16 needs."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from trainer.failure import NonFiniteError
from trainer.network.network import FlatParameters, LoraNetwork
from trainer.settings import Settings
from trainer.step.optimizer_classes import new_optimizer
from trainer.step.optimizer_state import optimizer_tensors, restore_optimizer

_FIRST_SCALE = 2.0**16
_GROWTH_STEPS = 2000


class Optimizer:
    """One update of the whole LoRA at a time; gradients are clipped over all groups together.

    Every optimizer but Adafactor works number by number (or sums over all numbers), so that one flat tensor a group
    gives what a tensor for each matrix would; Adafactor is defined over matrices and gets views of them. 8-bit moments
    are quantised in blocks of 256 numbers, which may here reach over the border of two matrices.
    """

    def __init__(
        self, network: LoraNetwork, settings: Settings, *, learning_rates: dict[str, float], warmup: int = 0
    ) -> None:
        self._network = network
        self._settings = settings
        self._rates = {name: learning_rates[name] for name in network.groups}
        self._parameters = {name: self._parameters_of(group) for name, group in network.groups.items()}
        groups = [{"params": self._parameters[name], "lr": rate} for name, rate in self._rates.items()]
        self._steps = new_optimizer(settings, groups, warmup)
        self._decay = settings.ema_decay
        self._averages = {name: group.value.detach().clone() for name, group in network.groups.items() if self._decay}
        self._kept: dict[str, Tensor] | None = None
        self._frozen: set[str] = set()
        self._zero_gradients()
        self.loss_scale = _FIRST_SCALE if settings.mixed_precision == "fp16" else 1.0
        self.good_steps = 0
        self.updates = 0

    def backward(self, loss: Tensor) -> None:
        """Gradients of `loss` into the flat buffers."""
        (loss if self.loss_scale == 1 else loss * self.loss_scale).backward()

    def freeze(self, group: str) -> None:
        """From now on leave this group's numbers as they are; its gradients are not asked for any more."""
        if group not in self._frozen:
            self._frozen.add(group)
            for parameter in self._parameters[group]:
                parameter.grad = None

    def step(self, factor: float) -> bool:
        """One update at `factor` × the base learning rates. False when fp16 overflowed and the step was left out.

        Raises NonFiniteError when gradients are not finite for another reason.
        """
        fp16, gradients = self._network_is_fp16, self.gradients()
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

    def gradients(self) -> list[Tensor]:
        """The flat gradients of all groups that still learn, live."""
        return [group.value.grad for group in self._learning() if group.value.grad is not None]

    def drop_gradients(self) -> None:
        """Forget what a step that must not be taken has left behind."""
        self._network.gather()
        self._zero_gradients()

    @contextmanager
    def best_weights(self) -> Iterator[None]:
        """Inside, the LoRA is what is measured, saved and drawn: the average with emaDecay, schedule-free's own one.

        After it the LoRA is back bit for bit. `tensors` gives the trained numbers inside as well.
        """
        free = self._settings.optimizer == "AdamWScheduleFree"
        if self._kept is not None or not (self._averages or free):
            yield
            return
        self._kept = {name: group.value.detach().clone() for name, group in self._network.groups.items()}
        try:
            self._take_best(free)
            yield
        finally:
            self._put(self._kept)
            self._kept = None
            self._set_train_mode(True)

    def tensors(self) -> dict[str, Tensor]:
        """Everything an exact resumption needs: values, averages and the optimizer's own state, live."""
        values = self._kept or {name: group.value.detach() for name, group in self._network.groups.items()}
        found = {f"{name}.value": value for name, value in values.items()}
        found.update({f"{name}.ema": average for name, average in self._averages.items()})
        return {**found, **optimizer_tensors(self._steps, self._parameters, self.updates)}

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Put back what `tensors` gave."""
        self._put({name: tensors[f"{name}.value"] for name in self._network.groups})
        for name, average in self._averages.items():
            average.copy_(tensors[f"{name}.ema"])
        self.updates = restore_optimizer(self._steps, self._parameters, tensors)
        self._set_train_mode(True)

    @property
    def _network_is_fp16(self) -> bool:
        return any(group.low.dtype == torch.float16 for group in self._network.groups.values())

    def _parameters_of(self, group: FlatParameters) -> list[Tensor]:
        return group.matrices if self._settings.optimizer == "Adafactor" else [group.value]

    def _learning(self) -> list[FlatParameters]:
        return [group for name, group in self._network.groups.items() if name not in self._frozen]

    def _update(self, gradients: list[Tensor], norm: float, factor: float) -> None:
        most = self._settings.max_grad_norm
        if most and norm > most:
            torch._foreach_mul_(gradients, most / (norm + 1e-6))
        # Schedule-free is its own schedule, warm-up included.
        factor = 1.0 if self._settings.optimizer == "AdamWScheduleFree" else factor
        for group, rate in zip(self._steps.param_groups, self._rates.values(), strict=True):
            group["lr"] = rate * factor
        self._set_train_mode(True)
        self._steps.step()
        self.updates += 1
        self._network.refresh()
        self._average()

    def _average(self) -> None:
        # The usual warm-up of an average (as in diffusers' EMAModel): early steps would weigh on it for ever.
        share = 1 - min(self._decay, self.updates / (9 + self.updates))
        for name, average in self._averages.items():
            average.lerp_(self._network.groups[name].value.detach(), share)

    def _take_best(self, free: bool) -> None:
        if self._averages:
            self._put(self._averages)
        elif free:
            self._steps.eval()  # type: ignore[union-attr]
            self._network.refresh()

    def _set_train_mode(self, train: bool) -> None:
        # Set by hand: schedule-free's own train() would round where the exact numbers were kept.
        if self._settings.optimizer == "AdamWScheduleFree":
            for group in self._steps.param_groups:
                group["train_mode"] = train

    def _put(self, values: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, group in self._network.groups.items():
                group.value.copy_(values[name])
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
