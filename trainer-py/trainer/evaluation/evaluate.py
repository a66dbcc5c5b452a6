"""The three stable losses of an epoch: same pictures, noise, timesteps and prompts every time."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from trainer.dataset.captions import steady_caption
from trainer.evaluation.measure_plan import measure_plan
from trainer.evaluation.probes import Probe, drift_probes, picture_probes
from trainer.evaluation.saved_lora import MeasuredLora
from trainer.grid.lora_batch import LoraBatch
from trainer.model.base_model import BaseModel
from trainer.model.predict import predict, whole_size
from trainer.model.text import Conditioning, encode_prompts
from trainer.plan import Plan, PlanImage
from trainer.settings import Settings
from trainer.side_by_side import side_by_side, threads_side_by_side

Row = tuple[int, float]
"""Index of a probe, and the weight at which it is asked."""

Contexts = dict[tuple[str, float], Conditioning]
"""Encoded prompts by their text and the weight at which they were encoded."""

_LATENT_ROWS = 8 * 64 * 64
_MOST_ROWS = 32
WORST = 1e6
"""Said in place of a loss that is not finite, which JSON could not carry."""


class Evaluation:
    """Holds the probes of one run, which the first measurement makes: it asks the base model, LoRA off, for drift.

    latents: those of the plan's pictures by id, asked for by the first measurement.

    `compute_seconds` are those of the last measurement.
    """

    def __init__(
        self,
        base: BaseModel,
        network: MeasuredLora,
        targets: dict[str, nn.Module],
        plan: Plan,
        latents: Callable[[], dict[str, Tensor]],
    ) -> None:
        self._base, self._network, self._targets, self._plan = base, network, targets, plan
        self._latents = latents
        self._probes: list[Probe] = []
        self.compute_seconds = 0.0
        self._base_errors: dict[Row, float] = {}
        self._weights = list(dict.fromkeys([1.0, *plan.settings.grid.weights]))

    def measure(self, epoch: int, check: Callable[[int, int], None]) -> dict[str, Any]:
        """The `evaluated` event of an epoch; epoch 0 is the base model. `check(done, total)` may raise to interrupt.

        Weights other than 1 are measured on a core of the probes. The core's way from weight 1 is then taken from the
        whole measurement at weight 1, stretched so that weight 0 would be the base model's, so that all entries of an
        epoch are comparable.
        """
        self._measure_base(check)
        if epoch == 0:
            return self._event(0, [1.0], self._base_errors)
        rows = [(index, weight) for weight in self._weights for index in self._asked(weight)]
        return self._event(epoch, self._weights, self._errors(rows, check, lora=True))

    def _measure_base(self, check: Callable[[int, int], None]) -> None:
        if not self._probes:
            with self._network.disabled():
                self._probes = self._make_probes(self._latents(), check)
        # The base model does not drift from itself.
        if not self._base_errors:
            rows = [(index, 1.0) for index, probe in enumerate(self._probes) if probe.kind != "drift"]
            self._base_errors = self._errors(rows, check, lora=False)

    def _event(self, epoch: int, weights: list[float], errors: dict[Row, float]) -> dict[str, Any]:
        at = {weight: self._losses(errors, weight) for weight in weights}
        entries = [{"weight": weight, **at.get(weight, at[1.0])} for weight in self._plan.settings.grid.weights]
        return {"type": "evaluated", "epoch": epoch, **at[1.0], "at_weights": entries}

    def _asked(self, weight: float) -> list[int]:
        return [index for index, probe in enumerate(self._probes) if weight == 1 or probe.core]

    def _make_probes(self, latents: dict[str, Tensor], check: Callable[[int, int], None]) -> list[Probe]:
        plan, settings = self._plan, self._plan.settings
        trained = _steady([image for image in plan.trained_images if not image.is_reg], settings)
        amount = measure_plan(
            samples_per_epoch=plan.samples_per_epoch,
            train=len(trained),
            held_out=len(plan.held_out_images),
            generic=len(plan.generic_prompts),
            weights=len(self._weights) - 1,
        )
        held_out = _steady(plan.held_out_images, settings)
        pictures = (("train", trained, amount.train), ("held_out", held_out, amount.held_out))
        probes = [
            probe
            for kind, images, most in pictures
            for probe in picture_probes(kind, images, latents, self._base, most=most, amount=amount, seed=settings.seed)
        ]
        return probes + drift_probes(
            self._base,
            plan.generic_prompts,
            size=(settings.resolution.height // 8, settings.resolution.width // 8),
            amount=amount,
            settings=settings,
            check=check,
        )

    @torch.no_grad()
    def _errors(self, rows: list[Row], check: Callable[[int, int], None], *, lora: bool) -> dict[Row, float]:
        errors: dict[Row, float] = {}
        with self._network.disabled(), self._lora_batch(lora) as batch:
            started = time.perf_counter()
            contexts = self._contexts(rows, batch)
            for part, found in self._ask_all(list(self._parts(rows)), contexts, batch):
                check(len(errors), len(rows))
                errors.update(zip(part, found, strict=True))
            self.compute_seconds = time.perf_counter() - started
        check(len(rows), len(rows))
        return errors

    @contextmanager
    def _lora_batch(self, lora: bool) -> Iterator[LoraBatch | None]:
        if not lora:
            yield None
            return
        with LoraBatch(self._targets, [self._network.weights()]) as batch:
            yield batch

    def _ask_all(
        self, parts: list[list[Row]], contexts: Contexts, batch: LoraBatch | None
    ) -> Iterator[tuple[list[Row], list[float]]]:
        resolution = self._plan.settings.resolution
        threads = threads_side_by_side(self._base.device, resolution.width * resolution.height)
        if threads == 1:
            yield from ((part, self._ask(part, contexts, batch)) for part in parts)
            return
        with side_by_side(threads, "ask") as pool:
            yield from zip(parts, pool.map(lambda part: self._ask(part, contexts, batch), parts), strict=True)

    @torch.no_grad()
    def _ask(self, part: list[Row], contexts: Contexts, batch: LoraBatch | None) -> list[float]:
        base = self._base
        probes = [self._probes[index] for index, _ in part]
        if batch:
            batch.set_rows([(0, weight) for _, weight in part])
        noisy = torch.stack([probe.noisy for probe in probes])
        timesteps = torch.tensor([probe.timestep for probe in probes])
        asked = [contexts[probe.prompt, weight] for probe, (_, weight) in zip(probes, part, strict=True)]
        size = whole_size(8 * noisy.shape[2], 8 * noisy.shape[3])
        predicted = predict(base, noisy, timesteps, Conditioning.stack(asked), [size] * len(part))
        target = torch.stack([probe.target for probe in probes]).to(base.device)
        return (predicted - target).square().mean(dim=(1, 2, 3)).tolist()

    def _contexts(self, rows: list[Row], batch: LoraBatch | None) -> Contexts:
        settings = self._plan.settings
        wanted = list(dict.fromkeys((self._probes[index].prompt, weight) for index, weight in rows))
        found: Contexts = {}
        for at in range(0, len(wanted), _MOST_ROWS):
            some = wanted[at : at + _MOST_ROWS]
            if batch:
                batch.set_rows([(0, weight) for _, weight in some])
            conditioning = encode_prompts(
                self._base,
                [prompt for prompt, _ in some],
                clip_skip=settings.clip_skip,
                max_token_length=settings.max_token_length,
            )
            found.update((row, conditioning[at]) for at, row in enumerate(some))
        return found

    def _parts(self, rows: list[Row]) -> Iterator[list[Row]]:
        by_size: dict[torch.Size, list[Row]] = defaultdict(list)
        for row in rows:
            by_size[self._probes[row[0]].noisy.shape].append(row)
        for shape, same in by_size.items():
            most = max(1, min(_MOST_ROWS, _LATENT_ROWS // (shape[1] * shape[2])))
            for at in range(0, len(same), most):
                yield same[at : at + most]

    def _losses(self, errors: dict[Row, float], weight: float) -> dict[str, float | None]:
        return {
            "train_loss": self._loss("train", errors, weight),
            "held_out_loss": self._loss("held_out", errors, weight) if self._plan.held_out_images else None,
            "drift": self._loss("drift", errors, weight),
        }

    def _loss(self, kind: str, errors: dict[Row, float], weight: float) -> float:
        mine = [index for index, probe in enumerate(self._probes) if probe.kind == kind and (index, 1.0) in errors]
        whole = _mean(errors[index, 1.0] for index in mine)
        if weight == 1.0:
            return whole
        core = [index for index in mine if self._probes[index].core]
        at_weight, at_one = _mean(errors[index, weight] for index in core), _mean(errors[index, 1.0] for index in core)
        base, base_core = self._base_loss(mine), self._base_loss(core)
        return max(0.0, whole + (at_weight - at_one) * _stretch(base - whole, base_core - at_one, base_core))

    def _base_loss(self, indexes: list[int]) -> float:
        return _mean(self._base_errors.get((index, 1.0), 0.0) for index in indexes)


def _steady(images: Sequence[PlanImage], settings: Settings) -> list[PlanImage]:
    return [replace(image, caption=steady_caption(image.caption, settings.of(image.subset))) for image in images]


def _stretch(gain: float, core_gain: float, core_base: float) -> float:
    """How much farther the whole went than its core; 1 where the core has hardly moved and the ratio says nothing."""
    if abs(core_gain) < 0.02 * core_base or gain * core_gain <= 0:
        return 1.0
    return min(2.0, max(0.5, gain / core_gain))


def _mean(values: Iterator[float]) -> float:
    found = list(values)
    mean = sum(found) / len(found) if found else 0.0
    return mean if math.isfinite(mean) else WORST
