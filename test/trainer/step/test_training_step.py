"""What one step does to the gradients, with one hand and with two."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from run_folder import write_run
from trainer.dataset.latent_cache import cache_latents
from trainer.dataset.latent_folder import LatentFolder
from trainer.dataset.picture_source import PictureSource, training_samples
from trainer.model.base_model import BaseModel, load_base_model
from trainer.network.network import LoraNetwork
from trainer.network.targets import lora_targets
from trainer.plan import Plan, read_plan
from trainer.step.batch_maker import BatchMaker
from trainer.step.conditioner import Conditioner
from trainer.step.optimizer import Optimizer
from trainer.step.training_step import StepResult, TrainingSteps


def _plan(folder: Path, base: BaseModel, **settings: Any) -> Plan:  # noqa: ANN401
    return read_plan(write_run(folder, base.path, lrScheduler="constant", **settings) / "plan.json")


def _run(base: BaseModel, plan: Plan, folder: Path, *, hands: int = 1, count: int = 1) -> tuple[StepResult, Tensor]:
    """The last of `count` steps, and the values after it."""
    network = LoraNetwork(
        lora_targets(base.unet, base.text_encoders),
        dim=4,
        alpha=1,
        seed=1,
        device=base.device,
        dtype=base.dtype,
        hands=hands,
    )
    optimizer = Optimizer(network, plan.settings, learning_rates={"unet": 1e-2, "text_encoder": 1e-2})
    steps = TrainingSteps(base, network, optimizer, plan, _pictures(base, plan, folder))
    results = [steps.run(step) for step in range(count)]
    return results[-1], torch.cat([flat.detach() for flat in network.flat])


def _pictures(base: BaseModel, plan: Plan, folder: Path) -> PictureSource:
    samples = training_samples(plan)
    latents = cache_latents(
        base, samples, root=folder / "dataset", folder=LatentFolder(folder / "l"), progress=lambda *_: None
    )
    masks = {samples[0]: torch.zeros(1, *latents[samples[0]].shape[1:])} if plan.settings.masked_loss else {}
    return PictureSource(base, plan, latents, masks)


EVERYTHING = {
    "minSnrGamma": 5,
    "lossType": "huber",
    "noiseOffset": 0.05,
    "maskedLoss": True,
    "priorPreservation": 0.5,
    "gradientAccumulationSteps": 2,
    "optimizerArgs": ["eps=1.0"],  # steps in proportion to the gradients, or rounding would decide on tiny ones
}


def test_two_hands_do_what_one_does_whatever_the_loss(tiny_checkpoint: Path, tmp_path: Path) -> None:
    found = []
    for hands in (1, 2):
        base = _fresh(tiny_checkpoint)
        plan = _plan(tmp_path / str(hands), base, **EVERYTHING)
        found.append(_run(base, plan, tmp_path / str(hands), hands=hands, count=2))
    (one, values), (two, others) = found
    assert two.loss == pytest.approx(one.loss, rel=1e-4) and two.optimized == pytest.approx(one.optimized, rel=1e-4)
    assert float((values - others).abs().max()) < 5e-6
    assert one.optimized != pytest.approx(one.loss)


def test_the_base_models_own_words_weigh_nothing_until_the_lora_says_something_else(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    base = _fresh(tiny_checkpoint)
    plan = _plan(tmp_path, base, priorPreservation=10, priorPreservationEvery=2)
    first, _ = _run(base, plan, tmp_path)
    assert first.optimized == pytest.approx(first.loss, rel=1e-5)
    between, _ = _run(_fresh(tiny_checkpoint), plan, tmp_path, count=2)
    assert between.optimized == between.loss
    third, _ = _run(_fresh(tiny_checkpoint), plan, tmp_path, count=3)
    assert third.optimized > third.loss


def test_accumulated_batches_are_one_step_of_all_their_pictures(tiny_checkpoint: Path, tmp_path: Path) -> None:
    base = _fresh(tiny_checkpoint)
    plan = _plan(tmp_path, base, batchSize=1, gradientAccumulationSteps=3)
    pictures = _pictures(base, plan, tmp_path)
    maker = BatchMaker(base, plan, Conditioner(base, plan.settings, fixed=False), pictures)
    errors = []
    for index, images in enumerate(maker.micro_batches(0)):
        batch = maker.batch((0, index) if index else (0,), images)
        context = Conditioner(base, plan.settings, fixed=False).encode(batch.tokens)
        with torch.no_grad():
            errors.append(
                float((base.unet(batch.noisy, batch.timesteps, context.context) - batch.target).square().mean())
            )
    assert len(errors) == 3 and len(set(errors)) == 3
    result, _ = _run(base, plan, tmp_path)
    assert result.loss == pytest.approx(sum(errors) / 3, rel=1e-4)
    assert sum(len(maker.micro_batches(step)) for step in range(plan.steps_per_epoch)) == 12


def test_a_batch_that_does_not_fit_is_taken_in_parts_from_then_on(
    tiny_checkpoint: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    found, sizes = [], []
    for most in (99, 1):
        base = _fresh(tiny_checkpoint)
        forward = base.unet.forward

        def limited(noisy: Tensor, *rest: Any, most: int = most, forward: Any = forward) -> Tensor:  # noqa: ANN401
            sizes.append(len(noisy))
            if len(noisy) > most:
                raise torch.OutOfMemoryError("no room")
            return forward(noisy, *rest)

        base.unet.forward = limited  # type: ignore[method-assign]
        plan = _plan(tmp_path / str(most), base, batchSize=4, gradientAccumulationSteps=2, optimizerArgs=["eps=1.0"])
        found.append(_run(base, plan, tmp_path / str(most), count=2))
    (whole, values), (parts, others) = found
    assert parts.loss == pytest.approx(whole.loss, rel=1e-5)
    assert float((values - others).abs().max()) < 5e-6
    assert set(sizes[-3:]) == {1}
    warnings = [json.loads(line)["message"] for line in capfdbinary.readouterr().out.splitlines()]
    assert ["2 at a time" in warnings[0], "1 at a time" in warnings[1], len(warnings)] == [True, True, 2]


def test_regularisation_pictures_count_by_their_weight(tiny_checkpoint: Path, tmp_path: Path) -> None:
    base = _fresh(tiny_checkpoint)
    plan = _plan(tmp_path, base, priorLossWeight=0.25)
    images = tuple(dataclasses.replace(image, is_reg=True) for image in plan.images)
    result, _ = _run(base, dataclasses.replace(plan, images=images), tmp_path)
    assert result.optimized == pytest.approx(0.25 * result.loss, rel=1e-5)


def test_the_text_encoder_stands_still_after_its_share_of_the_run(tiny_checkpoint: Path, tmp_path: Path) -> None:
    values = []
    for count in (2, 4):
        base = _fresh(tiny_checkpoint)
        plan = _plan(tmp_path, base, epochs=1, stopTextEncoderAt=0.25)  # 2 of 6 steps
        values.append(_run(base, plan, tmp_path, count=count)[1])
    split = sum(4 * sum(module.weight.shape[:2]) for name, module in _unet(tiny_checkpoint).items())
    assert not torch.equal(values[0][:split], values[1][:split])
    assert torch.equal(values[0][split:], values[1][split:])
    assert bool(values[0][split:].abs().sum() > 0)


def _fresh(checkpoint: Path) -> BaseModel:
    return load_base_model(checkpoint, device=torch.device("cpu"), dtype=torch.float32)


def _unet(checkpoint: Path) -> dict[str, Any]:
    base = _fresh(checkpoint)
    return {
        name: module
        for name, module in lora_targets(base.unet, base.text_encoders).items()
        if name.startswith("lora_unet_")
    }


def test_what_does_not_fit_as_a_single_picture_is_an_error(tiny_checkpoint: Path, tmp_path: Path) -> None:
    base = _fresh(tiny_checkpoint)

    def full(*_: Any) -> Tensor:  # noqa: ANN401
        raise torch.OutOfMemoryError("no room")

    base.unet.forward = full  # type: ignore[method-assign]
    with pytest.raises(torch.OutOfMemoryError):
        _run(base, _plan(tmp_path, base, batchSize=1), tmp_path)
