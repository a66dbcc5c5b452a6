"""One optimizer step: pictures, captions and noise in, a loss out."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from trainer.dataset.captions import is_fixed
from trainer.dataset.picture_source import PictureSource
from trainer.failure import NonFiniteError
from trainer.model.base_model import BaseModel
from trainer.model.predict import predict
from trainer.model.text import Conditioning
from trainer.network.network import LoraNetwork
from trainer.plan import Plan
from trainer.ranks import ALONE, Ranks
from trainer.side_by_side import lone_threads
from trainer.step.batch_fit import BatchFit
from trainer.step.batch_maker import BatchMaker
from trainer.step.conditioner import Conditioner
from trainer.step.loss import picture_losses
from trainer.step.optimizer import Optimizer
from trainer.step.schedule import learning_rate_factor
from trainer.step.step_batch import Batch


@dataclass(frozen=True)
class StepResult:
    """`loss`: plain mean squared error, comparable whatever the settings; `optimized`: what was really followed.

    factor: of the learning rate; compute_seconds: those inside forward, backward and optimizer; pixels: numbers
    in all latents of the step; keys_scaled: modules
    that max-norm has scaled down, None without it.
    """

    loss: float
    optimized: float
    factor: float
    compute_seconds: float
    pixels: int
    keys_scaled: int | None = None


Losses = tuple[float, float]
"""A share of StepResult's `loss` and `optimized`."""


class TrainingSteps:
    """Makes the steps of a run; what step n does depends on the plan, n and the weights alone."""

    def __init__(  # noqa: PLR0913
        self,
        base: BaseModel,
        network: LoraNetwork,
        optimizer: Optimizer,
        plan: Plan,
        pictures: PictureSource,
        ranks: Ranks = ALONE,
    ) -> None:
        self._ranks = ranks
        self._base, self._network, self._optimizer, self._plan = base, network, optimizer, plan
        self._pool = lone_threads(network.hands, "train") if network.hands > 1 else None
        self._conditioner = Conditioner(base, plan.settings, fixed=_fixed(plan))
        self._batches = BatchMaker(base, plan, self._conditioner, pictures, ranks)
        self._text_groups = [name for name in network.groups if name.startswith("text_encoder")]
        self._text_is_trained = bool(self._text_groups)
        self._fit = BatchFit(plan.settings.batch_size)
        self._is_plain = plan.settings.loss_type == "l2"

    def run(self, step: int, rate: float = 1.0) -> StepResult:
        """Train step `step`, counted from 0, at `rate` × the planned learning rates.

        Raises NonFiniteError and changes nothing when the loss is not finite.
        """
        plan = self._plan
        self._stop_text_encoder(step)
        factor = rate * learning_rate_factor(step, total=plan.total_steps, settings=plan.settings)
        batches = self._batches.of_step(step)
        started = time.perf_counter()
        losses = self._together(step, batches)
        self._optimizer.step(factor)
        limit = plan.settings.scale_weight_norms
        keys_scaled = self._network.limit_norms(limit) if limit else None
        pixels = sum(batch.noisy.numel() for batch in batches)
        return StepResult(*losses, factor, time.perf_counter() - started, pixels, keys_scaled)

    def _together(self, step: int, batches: list[Batch]) -> Losses:
        """Losses of the step in all processes, whose gradients are summed up in the flat buffers."""
        if self._ranks.count == 1:
            return self._fitting(step, batches)
        try:
            losses = self._fitting(step, batches)
        except NonFiniteError:
            losses = (math.nan, math.nan)
        found = torch.tensor(losses, dtype=torch.float64)
        self._ranks.sum([found])
        plain, optimized = found.tolist()
        if not math.isfinite(optimized):
            self._optimizer.drop_gradients()
            raise NonFiniteError(f"the loss is {optimized}")
        self._ranks.sum(self._optimizer.gradients())
        return plain, optimized

    def _fitting(self, step: int, batches: list[Batch]) -> Losses:
        """Losses of the step; all its gradients are in the flat buffers, in parts where memory does not allow more."""
        while True:
            try:
                return self._accumulate(step, batches)
            except torch.OutOfMemoryError:
                if not self._fit.shrink():
                    raise
            # Outside of the handler, so that nothing of the failed attempt is held any more.
            self._optimizer.drop_gradients()

    def _accumulate(self, step: int, batches: list[Batch]) -> Losses:
        samples = self._batches.samples(step)
        losses = []
        for batch in batches:
            self._network.begin(step, batch.micro)
            losses.append(self._backward(batch, len(batch) / samples))
        return _sum(losses)

    def _backward(self, batch: Batch, share: float) -> Losses:
        """The batch's share of the losses; its gradients are in the flat buffers."""
        parts = self._fit.parts(batch, self._network.hands)
        shares = [share * len(part) / len(batch) for part in parts]
        priors = self._priors(parts)
        found = _sum(self._on_all(self._part, parts, shares, priors))
        if self._pool and len(parts) > 1:
            self._network.gather()
        if not math.isfinite(found[1]):
            self._optimizer.drop_gradients()
            raise NonFiniteError(f"the loss is {found[1]}")
        return found

    def _on_all(self, work: Callable[..., Losses], *arguments: list) -> list[Losses]:
        if self._pool is None or len(arguments[0]) == 1:
            return [work(*each) for each in zip(*arguments, strict=True)]

        def alone(hand: int, *each: object) -> Losses:
            self._network.take_hand(hand)
            return work(*each)

        return list(self._pool.map(alone, range(len(arguments[0])), *arguments))

    def _part(self, part: Batch, share: float, prior: Tensor | None) -> Losses:
        self._network.take_rows((part.first, len(part), part.whole))
        plain, loss = self._forward(part, prior)
        value = float(loss.detach())
        if math.isfinite(value):
            self._optimizer.backward(loss * share)
        return float(plain.detach()) * share, value * share

    def _forward(self, batch: Batch, prior: Tensor | None) -> tuple[Tensor, Tensor]:
        context = self._conditioner.context(batch.captions, batch.tokens, trained=self._text_is_trained)
        predicted = self._predict(batch, context)
        plain, loss = self._losses(batch, predicted)
        if prior is not None and batch.plain_tokens is not None:
            # Asked for again as the LoRA now answers the caption without the trigger word.
            again = self._predict(batch, self._conditioner.encode(batch.plain_tokens))
            loss = loss + self._plan.settings.prior_preservation * F.mse_loss(again, prior)
        return plain, loss

    def _losses(self, batch: Batch, predicted: Tensor) -> tuple[Tensor, Tensor]:
        target = batch.target.to(predicted.device)
        plain = F.mse_loss(predicted, target)
        if self._is_plain and batch.masks is None and batch.weights is None:
            return plain, plain
        losses = picture_losses(
            self._plan.settings,
            predicted,
            target,
            alphas=batch.alphas.to(predicted.device),
            timesteps=batch.timesteps.to(predicted.device),
            masks=None if batch.masks is None else batch.masks.to(predicted.device),
        )
        return plain, (losses if batch.weights is None else losses * batch.weights.to(losses.device)).mean()

    def _predict(self, batch: Batch, conditioning: Conditioning) -> Tensor:
        sizes = [sample.sizes for sample in batch.samples]
        return predict(self._base, batch.noisy, batch.timesteps, conditioning, sizes)

    @torch.no_grad()
    def _priors(self, parts: list[Batch]) -> list[Tensor | None]:
        """What the base model alone says to the captions without the trigger word, where that is asked for."""
        # One after the other: the LoRA is off for all threads together.
        with self._network.disabled():
            return [
                None if part.plain_tokens is None else self._predict(part, self._conditioner.encode(part.plain_tokens))
                for part in parts
            ]

    def _stop_text_encoder(self, step: int) -> None:
        if self._text_is_trained and step >= self._plan.settings.stop_text_encoder_at * self._plan.total_steps:
            for group in self._text_groups:
                self._optimizer.freeze(group)
            self._text_is_trained = False


def _fixed(plan: Plan) -> bool:
    return all(is_fixed(plan.settings.of(image.subset)) for image in plan.trained_images)


def _sum(losses: list[Losses]) -> Losses:
    return sum(plain for plain, _ in losses), sum(optimized for _, optimized in losses)
