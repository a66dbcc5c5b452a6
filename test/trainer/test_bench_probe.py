"""What the comparison with sd-scripts counts."""

import torch

from bench.versus.probe import KeptBytes, OpCounter
from bench.versus.same_noise import same_noise


def test_calls_of_the_backward_pass_are_counted_too() -> None:
    x = torch.ones(2, 3, requires_grad=True)
    with OpCounter() as forward:
        loss = (x * 2).sum()
    with OpCounter() as backward:
        loss.backward()
    assert (forward.calls, forward.views) == (2, 0)
    assert backward.calls > 0


def test_views_are_told_from_what_computes() -> None:
    x = torch.ones(2, 3)
    with OpCounter() as counter:
        x.t().add(1)
    assert (counter.calls, counter.views) == (2, 1)


def test_a_kept_storage_counts_once_and_whole_and_those_from_before_do_not() -> None:
    weight = torch.ones(4, 4, requires_grad=True)
    kept = KeptBytes()
    with kept.hooks:
        x = weight * 2  # keeps nothing of this step
        halves = x.split(2)
        y = (halves[0] * halves[1]).exp()  # x as two views, and its own result
    y.sum().backward()
    assert sum(kept.bytes.values()) == 4 * (16 + 8)
    assert weight.grad is not None


def test_noise_depends_on_the_step_and_the_shape_alone() -> None:
    like = torch.zeros(2, 4, 3, 5)
    noise, timesteps = same_noise(3, like)
    again, same = same_noise(3, like)
    assert torch.equal(noise, again) and torch.equal(timesteps, same)
    assert noise.shape == like.shape and timesteps.shape == (2,)
    assert not torch.equal(noise, same_noise(4, like)[0])
