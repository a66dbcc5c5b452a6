"""Every optimizer over flat buffers against the same library over a tensor for each matrix."""

import importlib.util
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lion_pytorch import Lion
from prodigyopt import Prodigy
from schedulefree import AdamWScheduleFree
from torch import Tensor, nn
from transformers.optimization import Adafactor

from run_folder import write_run
from trainer.failure import Failure
from trainer.network.network import LoraNetwork
from trainer.plan import read_plan
from trainer.settings import Settings
from trainer.step.optimizer import Optimizer
from trainer.step.optimizer_classes import check_optimizer, full_name

STEPS = 6
_DADAPT = importlib.import_module("pytorch_optimizer").DAdaptAdam


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return read_plan(
        write_run(tmp_path_factory.mktemp("run"), Path("m"), maxGradNorm=0, unetLr=1, textEncoderLr=1) / "plan.json"
    ).settings


def _network() -> LoraNetwork:
    torch.manual_seed(0)
    targets = {"lora_unet_a": nn.Linear(12, 20), "lora_unet_b": nn.Linear(7, 5), "lora_te_c": nn.Linear(6, 6)}
    return LoraNetwork(targets, dim=4, alpha=1, seed=1, device=torch.device("cpu"), dtype=torch.float32)


def _gradients(matrices: list[Tensor], step: int) -> list[Tensor]:
    source = torch.Generator().manual_seed(step)
    return [torch.randn(matrix.shape, generator=source) for matrix in matrices]


def _matrices(network: LoraNetwork) -> list[Tensor]:
    return [matrix for group in network.groups.values() for matrix in group.matrices]


def _step(optimizer: Optimizer, network: LoraNetwork, step: int, factor: float = 1.0) -> None:
    for matrix, gradient in zip(_matrices(network), _gradients(_matrices(network), step), strict=True):
        assert matrix.grad is not None
        matrix.grad.copy_(gradient)
    optimizer.step(factor)


def _quiet(kind: Any, parameters: list[Tensor], **options: Any) -> Any:  # noqa: ANN401
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind(parameters, **options)


@pytest.mark.parametrize(
    ("name", "options", "reference", "changes"),
    [
        ("AdamW", [], torch.optim.AdamW, {}),
        ("Lion", ["betas=0.9,0.95"], Lion, {"betas": (0.9, 0.95)}),
        ("Prodigy", ["d_coef=2", "use_bias_correction=True"], Prodigy, {"d_coef": 2, "use_bias_correction": True}),
        ("AdamWScheduleFree", [], AdamWScheduleFree, {"warmup_steps": 3}),
        ("DAdaptAdam", ["decouple=True"], _DADAPT, {"weight_decouple": True}),
        ("Adafactor", [], Adafactor, {"scale_parameter": False, "relative_step": False}),
        ("Adafactor", ["scale_parameter=True"], Adafactor, {"scale_parameter": True, "relative_step": False}),
    ],
)
def test_a_flat_buffer_is_moved_like_a_tensor_for_each_matrix(
    name: str,
    options: list[str],
    reference: Any,  # noqa: ANN401
    changes: dict[str, Any],
    plain: Settings,
) -> None:
    settings = replace(plain, optimizer=name, optimizer_args=tuple(options), lr_scheduler="constant")
    network = _network()
    copies = [matrix.detach().clone().requires_grad_() for matrix in _matrices(network)]
    optimizer = Optimizer(network, settings, learning_rates=dict.fromkeys(network.groups, 0.5), warmup=3)
    other = _quiet(reference, copies, lr=0.5, weight_decay=0.01, **changes)
    if name == "AdamWScheduleFree":
        other.train()
    for step in range(STEPS):
        _step(optimizer, network, step)
        for copy, gradient in zip(copies, _gradients(copies, step), strict=True):
            copy.grad = gradient
        other.step()
    for matrix, copy in zip(_matrices(network), copies, strict=True):
        assert torch.allclose(matrix, copy, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["AdamW", "Lion", "Prodigy", "AdamWScheduleFree", "DAdaptAdam", "Adafactor"])
def test_saved_numbers_go_on_bit_for_bit(name: str, plain: Settings) -> None:
    settings = replace(plain, optimizer=name, lr_scheduler="constant", ema_decay=0.9 if name == "AdamW" else 0)
    rates = {"unet": 0.5, "text_encoder": 0.5}
    whole, first, second = _network(), _network(), _network()
    optimizers = [Optimizer(network, settings, learning_rates=rates) for network in (whole, first, second)]
    for step in range(STEPS):
        _step(optimizers[0], whole, step)
    for step in range(3):
        _step(optimizers[1], first, step)
    with optimizers[1].best_weights():  # a state that is saved while the average is in place is that of training
        kept = {key: tensor.clone() for key, tensor in optimizers[1].tensors().items()}
    optimizers[2].restore(kept)
    for step in range(3, STEPS):
        _step(optimizers[2], second, step)
    for one, other in zip(whole.flat, second.flat, strict=True):
        assert torch.equal(one, other)
    before, after = (optimizer.tensors() for optimizer in (optimizers[0], optimizers[2]))
    assert before.keys() == after.keys() and all(torch.equal(value, after[key]) for key, value in before.items())


def test_the_average_is_what_is_saved_and_the_trained_numbers_come_back(plain: Settings) -> None:
    network = _network()
    optimizer = Optimizer(network, replace(plain, ema_decay=0.5), learning_rates=dict.fromkeys(network.groups, 0.1))
    values = [network.flat[0].detach().clone()]
    for step in range(4):
        _step(optimizer, network, step)
        values.append(network.flat[0].detach().clone())
    average = values[0]
    for step, value in enumerate(values[1:], start=1):
        average = average + (1 - min(0.5, step / (9 + step))) * (value - average)
    with optimizer.best_weights():
        assert torch.allclose(network.flat[0], average, atol=1e-6)
    assert torch.equal(network.flat[0], values[-1])


def test_a_frozen_group_stays_and_the_others_go_on(plain: Settings) -> None:
    for name in ("AdamW", "Prodigy", "Adafactor", "DAdaptAdam"):
        network = _network()
        settings = replace(plain, optimizer=name)
        optimizer = Optimizer(network, settings, learning_rates=dict.fromkeys(network.groups, 0.5))
        _step(optimizer, network, 0)
        optimizer.freeze("text_encoder")
        before = [flat.detach().clone() for flat in network.flat]
        network.flat[0].grad.normal_()  # type: ignore[union-attr]
        optimizer.step(1.0)
        assert not torch.equal(before[0], network.flat[0]) and torch.equal(before[1], network.flat[1]), name


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"optimizer_args": ("momentum=0.9",)}, "betas"),
        ({"optimizer_args": ("betas",)}, "betas=0.9,0.99"),
        ({"optimizer_args": ("betas=many",)}, "numbers"),
        ({"optimizer_args": ("betas=2,2",)}, "AdamW takes"),
        ({"optimizer": "Prodigy", "optimizer_args": ("d0=-1",)}, "Prodigy takes"),
    ],
)
def test_options_that_an_optimizer_does_not_take_are_said(changes: dict[str, Any], word: str, plain: Settings) -> None:
    with pytest.raises(Failure, match=word) as caught:
        check_optimizer(replace(plain, unet_lr=1, text_encoder_lr=1, **changes))
    assert caught.value.code == "bad_plan"


@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is not None, reason="bitsandbytes is here")
def test_a_library_that_is_not_here_is_named_with_the_way_to_get_it(plain: Settings) -> None:
    with pytest.raises(Failure, match="pip install bitsandbytes") as caught:
        check_optimizer(replace(plain, optimizer="AdamW8bit"))
    assert caught.value.code == "program_missing"
    assert full_name(replace(plain, optimizer="AdamW8bit")).startswith("bitsandbytes.optim.adamw.AdamW8bit(")


def test_nothing_of_it_is_printed(plain: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("Prodigy", "DAdaptAdam", "AdamWScheduleFree", "Lion", "Adafactor"):
        check_optimizer(replace(plain, optimizer=name, unet_lr=1, text_encoder_lr=1, lr_scheduler="constant"))
    assert capfd.readouterr().out == ""
