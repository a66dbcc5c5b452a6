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
from trainer.ranks import ALONE, Ranks
from trainer.step.conditioner import Conditioner
from trainer.step.loss import sample_weights, target_of
from trainer.step.noise import add_noise, draw_noise
from trainer.step.step_batch import Batch


class BatchMaker:
    """Makes the batches of every step, or the part of them that is this process's share among `ranks`."""

    def __init__(
        self,
        base: BaseModel,
        plan: Plan,
        conditioner: Conditioner,
        pictures: PictureSource,
        ranks: Ranks = ALONE,
    ) -> None:
        self._plan, self._conditioner, self._pictures, self._ranks = plan, conditioner, pictures, ranks
        self._prediction = base.prediction
        self._alphas = base.alphas_cumprod.float()
        self._epoch, self._batches = 0, [[0]]

    def of_step(self, step: int) -> list[Batch]:
        """All batches that are accumulated in a step; of several processes each has its pictures of them, or none."""
        micro = self.micro_batches(step)
        share, at, batches = self._ranks.share(self.samples(step)), 0, []
        for index, images in enumerate(micro):
            rows = range(max(share.start - at, 0), min(share.stop - at, len(images)))
            at += len(images)
            if rows:
                batches.append(self.batch((step, index) if index else (step,), images, rows))
        return batches

    def samples(self, step: int) -> int:
        """How many pictures a step has in all processes together."""
        return sum(map(len, self.micro_batches(step)))

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

    def batch(self, place: tuple[int, ...], images: list[PlanImage], rows: range | None = None) -> Batch:
        """The batch at `place`: (step,), or (step, micro-batch) for all but the first one; of it `rows` alone.

        Noise and tokens are made for all pictures and then cut, so that a share is what it would be in the whole.
        """
        settings, rows = self._plan.settings, rows or range(len(images))
        captions = self._captions(place, images)
        samples = self._pictures.samples(images, place)
        clean = self._pictures.latents(samples, place, rows)  # (B, 4, h, w)
        noise = draw_noise(settings, place, clean)
        alphas = self._alphas[noise.timesteps]
        whole = Batch(
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
            micro=place[1] if len(place) > 1 else 0,
            first=0,
            whole=len(images),
        )
        return whole if len(rows) == len(images) else whole.part(slice(rows.start, rows.stop))

    def _captions(self, place: tuple[int, ...], images: list[PlanImage]) -> list[str]:
        settings = self._plan.settings
        return [
            training_caption(
                image.caption,
                settings.of(image.subset),
                epoch=place[0] // self._plan.steps_per_epoch + 1,
                seed=derived_seed(settings.seed, "caption", *place, row),
                step=place[0],
                total=self._plan.total_steps,
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
