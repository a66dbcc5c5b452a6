"""Our AdamW moves numbers as torch's class does, bit for bit."""

from typing import Any

import pytest
import torch

from trainer.step.flat_adamw import FlatAdamW


@pytest.mark.parametrize(
    "options",
    [
        {"fused": True, "weight_decay": 0.1},
        {"fused": True, "betas": (0.8, 0.95), "eps": 1e-6, "amsgrad": True},
        {"foreach": True},
        {},
    ],
)
def test_values_and_moments_are_those_of_torch(options: dict[str, Any]) -> None:
    source = torch.Generator().manual_seed(1)
    start = [torch.randn(50, generator=source), torch.randn(7, generator=source)]
    ours, theirs = ([value.clone().requires_grad_() for value in start] for _ in range(2))
    rates = (0.1, 0.02)
    own = FlatAdamW([{"params": [value], "lr": rate} for value, rate in zip(ours, rates, strict=True)], **options)
    groups = [{"params": [value], "lr": rate} for value, rate in zip(theirs, rates, strict=True)]
    reference = torch.optim.AdamW(groups, **options)
    for step in range(4):
        for one, other in zip(ours, theirs, strict=True):
            gradient = torch.randn(one.shape, generator=source)
            one.grad, other.grad = gradient, gradient.clone()
        if step == 2:
            ours[1].grad = theirs[1].grad = None  # a group that is frozen
        own.step()
        reference.step()
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one, other)
        expected = reference.state[other]
        assert own.state[one].keys() == expected.keys()
        assert all(torch.equal(value, expected[name]) for name, value in own.state[one].items())


@pytest.mark.parametrize(
    "options", [{"betas": (1.0, 0.9)}, {"eps": -1.0}, {"weight_decay": -0.1}, {"fused": True, "foreach": True}]
)
def test_impossible_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"found"):
        FlatAdamW([{"params": [torch.zeros(2, requires_grad=True)], "lr": 0.1}], **options)
