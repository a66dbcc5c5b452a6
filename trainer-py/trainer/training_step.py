"""One optimizer step: pictures, captions and noise in, a loss out."""

import math
import time
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from trainer.base_model import BaseModel
from trainer.batches import epoch_batches
from trainer.captions import training_caption
from trainer.failure import NonFiniteError
from trainer.network import LoraNetwork
from trainer.optimizer import Optimizer
from trainer.plan import Plan
from trainer.randomness import derived_seed, step_noise
from trainer.schedule import learning_rate_factor
from trainer.side_by_side import lone_threads
from trainer.text import encode_tokens, tokenize


@dataclass(frozen=True)
class StepResult:
    """Mean squared error, learning-rate factor, and seconds inside forward, backward and optimizer."""

    loss: float
    factor: float
    compute_seconds: float


@dataclass(frozen=True)
class Batch:
    """noisy and noise (B, 4, h, w), timesteps (B,), captions and their tokens."""

    noisy: Tensor
    timesteps: Tensor
    captions: list[str]
    tokens: Tensor
    noise: Tensor

    def parts(self, count: int) -> "list[Batch]":
        """At most `count` parts of nearly equal size, in order."""
        size = -(-len(self.captions) // count)
        return [
            Batch(
                self.noisy[at : at + size],
                self.timesteps[at : at + size],
                self.captions[at : at + size],
                self.tokens[at : at + size],
                self.noise[at : at + size],
            )
            for at in range(0, len(self.captions), size)
        ]


class TrainingSteps:
    """Makes the steps of a run; what step n does depends on the plan, n and the weights alone."""

    def __init__(
        self, base: BaseModel, network: LoraNetwork, optimizer: Optimizer, plan: Plan, latents: dict[str, Tensor]
    ) -> None:
        self._base, self._network, self._optimizer, self._plan = base, network, optimizer, plan
        self._pool = lone_threads(network.hands, "train") if network.hands > 1 else None
        self._latents = latents
        self._text_is_trained = "text_encoder" in network.groups
        self._alphas = base.alphas_cumprod.float()
        self._tokens: dict[str, Tensor] = {}
        self._contexts: dict[str, Tensor] = {}
        self._epoch, self._batches = 0, [[0]]

    def run(self, step: int) -> StepResult:
        """Train step `step`, counted from 0. Raises NonFiniteError and changes nothing when the loss is not finite."""
        plan = self._plan
        images = [plan.trained_images[index] for index in self._batch(step)]
        captions = self._captions(step, [image.caption for image in images])
        clean = torch.stack([self._latents[image.id] for image in images])  # (B, 4, h, w)
        noise, timesteps = step_noise(plan.settings.seed, step, tuple(clean.shape))
        alpha = self._alphas[timesteps].view(-1, 1, 1, 1)
        noisy = alpha.sqrt() * clean + (1 - alpha).sqrt() * noise
        factor = learning_rate_factor(
            step, total=plan.total_steps, warmup=plan.settings.lr_warmup_steps, scheduler=plan.settings.lr_scheduler
        )
        tokens = self._tokenize(captions)
        started = time.perf_counter()
        value = self._backward(Batch(noisy, timesteps, captions, tokens, noise))
        self._optimizer.step(factor)
        return StepResult(value, factor, time.perf_counter() - started)

    def _backward(self, batch: "Batch") -> float:
        """The batch's loss; its gradients are in the flat buffers."""
        parts = batch.parts(self._network.hands)
        if self._pool is None or len(parts) == 1:
            losses = [self._part(parts[0], 1.0)]
        else:
            shares = [len(part.captions) / len(batch.captions) for part in parts]
            losses = list(self._pool.map(self._alone, range(len(parts)), parts, shares))
            self._network.gather()
        value = sum(losses)
        if not math.isfinite(value):
            self._optimizer.drop_gradients()
            raise NonFiniteError(f"the loss is {value}")
        return value

    def _alone(self, hand: int, part: "Batch", share: float) -> float:
        self._network.take_hand(hand)
        return self._part(part, share)

    def _part(self, part: "Batch", share: float) -> float:
        loss = self._forward(part) * share
        value = float(loss.detach())
        if math.isfinite(value):
            self._optimizer.backward(loss)
        return value

    def _batch(self, step: int) -> list[int]:
        plan = self._plan
        epoch = step // plan.steps_per_epoch + 1
        if epoch != self._epoch:
            self._batches = epoch_batches(
                plan.trained_images, batch_size=plan.settings.batch_size, seed=plan.settings.seed, epoch=epoch
            )
            self._epoch = epoch
        return self._batches[step % plan.steps_per_epoch]

    def _captions(self, step: int, captions: list[str]) -> list[str]:
        settings = self._plan.settings
        return [
            training_caption(
                caption,
                shuffle=settings.shuffle_caption,
                keep_tokens=settings.keep_tokens,
                seed=derived_seed(settings.seed, "caption", step, place),
            )
            for place, caption in enumerate(captions)
        ]

    def _tokenize(self, captions: list[str]) -> Tensor:
        length = self._plan.settings.max_token_length
        if self._plan.settings.shuffle_caption:
            return tokenize(self._base, captions, length)
        for caption in captions:
            if caption not in self._tokens:
                self._tokens[caption] = tokenize(self._base, [caption], length)[0]
        return torch.stack([self._tokens[caption] for caption in captions])

    def _forward(self, batch: "Batch") -> Tensor:
        base = self._base
        noisy = batch.noisy.to(base.device, base.dtype, memory_format=torch.channels_last)
        context = self._context(batch.captions, batch.tokens)  # (B, tokens, width)
        predicted = base.unet(noisy, batch.timesteps.to(base.device), encoder_hidden_states=context).sample
        return F.mse_loss(predicted.float(), batch.noise.to(base.device))

    def _context(self, captions: list[str], tokens: Tensor) -> Tensor:
        clip_skip = self._plan.settings.clip_skip
        if self._text_is_trained:
            return encode_tokens(self._base, tokens, clip_skip=clip_skip)
        with torch.no_grad():
            if self._plan.settings.shuffle_caption:
                return encode_tokens(self._base, tokens, clip_skip=clip_skip)
            for caption, ids in zip(captions, tokens, strict=True):
                if caption not in self._contexts:
                    self._contexts[caption] = encode_tokens(self._base, ids[None], clip_skip=clip_skip)[0]
            return torch.stack([self._contexts[caption] for caption in captions])
