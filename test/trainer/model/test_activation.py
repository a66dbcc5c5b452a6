"""A layer after an activation: nothing of the activation's result is kept, and nothing changes."""

import pytest
import torch
from torch import Tensor, nn

from trainer.model.activation import GATED_GELU, GELU, QUICK_GELU, Activation, linear_after
from trainer.network.network import LoraNetwork

CPU = torch.device("cpu")


def _plain(activation: Activation, x: Tensor) -> Tensor:
    if activation is GATED_GELU:
        value, gate = x.chunk(2, dim=-1)
        return value * nn.functional.gelu(gate)
    return nn.functional.gelu(x) if activation is GELU else x * torch.sigmoid(1.702 * x)


@pytest.mark.parametrize("activation", [GATED_GELU, QUICK_GELU, GELU])
def test_activation_and_layer_together_are_the_plain_formula(activation: Activation) -> None:
    torch.manual_seed(0)
    layer = nn.Linear(6, 5).requires_grad_(False)
    network = LoraNetwork({"lora_unet_a": layer}, dim=3, alpha=2, seed=1, device=CPU, dtype=torch.float32)
    with torch.no_grad():
        network.flat[0].normal_()
    lora = network.weights().modules["lora_unet_a"]
    x = torch.randn(2, 4, 12 if activation is GATED_GELU else 6, requires_grad=True)
    down, up = lora.down.clone().requires_grad_(), lora.up.clone().requires_grad_()
    rows = _plain(activation, x)
    expected = nn.functional.linear(rows, layer.weight, layer.bias) + lora.scale * (rows @ down.T @ up.T)
    found = linear_after(layer, activation, x)
    weights = torch.randn_like(expected)
    wanted = torch.autograd.grad((expected * weights).sum(), (x, down, up))
    (found * weights).sum().backward()
    gradient = network.flat[0].grad
    assert gradient is not None and x.grad is not None
    assert torch.allclose(found, expected, atol=1e-5)
    assert torch.allclose(x.grad, wanted[0], atol=1e-5)
    assert torch.allclose(gradient, torch.cat([part.flatten() for part in wanted[1:]]), atol=1e-4)


def test_without_a_lora_the_activation_goes_before_the_layer() -> None:
    layer = nn.Linear(6, 5).requires_grad_(False)
    x = torch.randn(3, 6, requires_grad=True)
    found = linear_after(layer, QUICK_GELU, x)
    assert torch.allclose(found, layer(_plain(QUICK_GELU, x)), atol=1e-6)
    network = LoraNetwork({"lora_unet_a": layer}, dim=3, alpha=2, seed=1, device=CPU, dtype=torch.float32)
    with network.disabled():
        assert torch.allclose(linear_after(layer, QUICK_GELU, x), found, atol=1e-6)
