"""What a step trains on: pictures, captions and noise, as a pure function of the plan and the step."""

import torch
from torch import Tensor

from trainer.dataset.batches import epoch_batches
from trainer.dataset.caption_tokens import CaptionTokens
from trainer.dataset.captions import training_caption, without_trigger
from trainer.dataset.picture_source import PictureSource
from trainer.model.base_model import BaseModel
from trainer.plan import Plan, PlanImage
from trainer.randomness import derived_seed
from trainer.step.conditioner import Conditioner
from trainer.step.loss import sample_weights, target_of
from trainer.step.noise import add_noise, draw_noise
from trainer.step.step_batch import Batch


class BatchMaker:
    """Makes the batches of every step."""

    def __init__(
        self,
        base: BaseModel,
        plan: Plan,
        conditioner: Conditioner,
        pictures: PictureSource,
    ) -> None:
        self._plan, self._conditioner, self._pictures = plan, conditioner, pictures
        self._prediction = base.prediction
        self._alphas = base.alphas_cumprod.float()
        self._epoch, self._batches = 0, [[0]]

    def of_step(self, step: int) -> list[Batch]:
        """All batches that are accumulated in a step."""
        places = enumerate(self.micro_batches(step))
        return [self.batch((step, index) if index else (step,), images) for index, images in places]

    def micro_batches(self, step: int) -> list[list[PlanImage]]:
        """The pictures of a step, as many batches as are accumulated; in the last step of an epoch those left."""
        plan, settings = self._plan, self._plan.settings
        epoch = step // plan.steps_per_epoch + 1
        if epoch != self._epoch:
            self._batches = epoch_batches(
                plan.trained_images, batch_size=settings.batch_size, seed=settings.seed, epoch=epoch
            )
            self._epoch = epoch
        at = step % plan.steps_per_epoch * settings.gradient_accumulation_steps
        places = self._batches[at : at + settings.gradient_accumulation_steps]
        return [[plan.trained_images[index] for index in batch] for batch in places]

    def batch(self, place: tuple[int, ...], images: list[PlanImage]) -> Batch:
        """The batch at `place`: (step,), or (step, micro-batch) for all but the first one."""
        settings = self._plan.settings
        captions = self._captions(place, images)
        samples = self._pictures.samples(images, place)
        clean = self._pictures.latents(samples, place)  # (B, 4, h, w)
        noise = draw_noise(settings, place, clean)
        alphas = self._alphas[noise.timesteps]
        return Batch(
            noisy=add_noise(clean, noise.added, alphas),
            target=target_of(self._prediction, alphas, noise.target, clean),
            timesteps=noise.timesteps,
            alphas=alphas,
            samples=samples,
            captions=captions,
            tokens=self._conditioner.tokens(captions),
            weights=self._weights(images, alphas),
            masks=self._pictures.masks(samples, clean),
            plain_tokens=self._plain_tokens(place[0], captions),
        )

    def _captions(self, place: tuple[int, ...], images: list[PlanImage]) -> list[str]:
        settings = self._plan.settings
        return [
            training_caption(
                image.caption,
                settings.of(image.subset),
                epoch=place[0] // self._plan.steps_per_epoch + 1,
                seed=derived_seed(settings.seed, "caption", *place, row),
            )
            for row, image in enumerate(images)
        ]

    def _weights(self, images: list[PlanImage], alphas: Tensor) -> Tensor | None:
        weights = sample_weights(self._plan.settings, self._prediction, alphas)
        prior = self._plan.settings.prior_loss_weight
        if prior == 1 or not any(image.is_reg for image in images):
            return weights
        shares = torch.tensor([prior if image.is_reg else 1.0 for image in images])
        return shares if weights is None else weights * shares

    def _plain_tokens(self, step: int, captions: list[str]) -> CaptionTokens | None:
        settings = self._plan.settings
        if not settings.prior_preservation or step % settings.prior_preservation_every:
            return None
        trigger = self._plan.dataset.trigger_word
        return self._conditioner.tokens([without_trigger(caption, trigger) for caption in captions])
