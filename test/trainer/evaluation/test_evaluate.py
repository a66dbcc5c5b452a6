"""The stable losses: repeatable, and the same whether a LoRA is hooked in or drawn in a batch."""

from pathlib import Path

import pytest
import torch

from run_folder import write_run
from trainer.dataset.latent_cache import cache_latents
from trainer.dataset.latent_folder import LatentFolder
from trainer.dataset.sample_crop import centre_samples
from trainer.evaluation.evaluate import Evaluation
from trainer.evaluation.measure_plan import measure_plan
from trainer.model.base_model import BaseModel
from trainer.network.network import LoraNetwork
from trainer.network.targets import lora_targets
from trainer.plan import Plan, read_plan


def _evaluation(tmp_path: Path, base: BaseModel) -> tuple[Evaluation, LoraNetwork, Plan]:
    plan = read_plan(write_run(tmp_path, base.path) / "plan.json")
    root = tmp_path / "dataset"
    found = cache_latents(
        base, centre_samples(plan), root=root, folder=LatentFolder(tmp_path / "l"), progress=lambda *_: None
    )
    latents = {sample.image.id: latent for sample, latent in found.items()}
    targets = lora_targets(base.unet, base.text_encoders)
    network = LoraNetwork(targets, dim=2, alpha=2, seed=1, device=base.device, dtype=base.dtype)
    return Evaluation(base, network, targets, plan, lambda: latents), network, plan


def test_a_new_lora_measures_as_the_base_model_and_a_changed_one_drifts_more_with_weight(
    tmp_path: Path, tiny_base: BaseModel
) -> None:
    evaluation, network, _ = _evaluation(tmp_path, tiny_base)
    first = evaluation.measure(0, lambda *_: None)
    assert first["drift"] == 0 and [entry["weight"] for entry in first["at_weights"]] == [0.5, 1.0, 1.5]
    fresh = evaluation.measure(1, lambda *_: None)
    assert fresh["drift"] < 1e-9 and fresh["train_loss"] == pytest.approx(first["train_loss"], rel=1e-5)
    with torch.no_grad():
        for flat in network.flat:
            flat += 0.02 * torch.randn(flat.shape, generator=torch.Generator().manual_seed(1))
    changed = evaluation.measure(1, lambda *_: None)
    drifts = [entry["drift"] for entry in changed["at_weights"]]
    assert 1e-6 < drifts[0] < drifts[1] < drifts[2] and drifts[1] == changed["drift"]
    assert changed == evaluation.measure(1, lambda *_: None)


def test_the_measured_loss_is_what_the_hooked_in_lora_predicts(tmp_path: Path, tiny_base: BaseModel) -> None:
    evaluation, network, _ = _evaluation(tmp_path, tiny_base)
    with torch.no_grad():
        for flat in network.flat:
            flat += 0.02 * torch.randn(flat.shape, generator=torch.Generator().manual_seed(1))
        batched = evaluation.measure(1, lambda *_: None)["held_out_loss"]
        rows = [(i, 1.0) for i, probe in enumerate(evaluation._probes) if probe.kind == "held_out"]
        contexts = evaluation._contexts(rows, None)
        hooked = [evaluation._ask([row], contexts, None)[0] for row in rows]
    assert batched == pytest.approx(sum(hooked) / len(hooked), rel=1e-4)


@pytest.mark.parametrize("samples", [10_000, 1000, 400, 240, 100, 1])
def test_drift_is_asked_at_other_weights_however_short_the_epoch(samples: int) -> None:
    plan = measure_plan(samples_per_epoch=samples, train=33, held_out=2, generic=8, weights=3)
    assert plan.core > 0 and set(plan.drift_core_timesteps) <= set(plan.drift_timesteps) and plan.drift_core_timesteps


def test_a_short_epoch_is_measured_with_fewer_questions() -> None:
    facts = {"train": 30, "held_out": 3, "generic": 8, "weights": 4}
    levels = [measure_plan(samples_per_epoch=samples, **facts) for samples in (10_000, 400, 240, 100)]
    assert [level.train for level in levels] == [6, 6, 4, 3]
    assert levels[0].drift_timesteps == (100, 300, 500, 700, 900) and levels[3].timesteps == (100, 500, 900)
