"""DoRA, LoHa and LoKr in training against autograd over their plain formulas, in float64."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from naive_networks import naive_weight
from trainer.network.fused_lora import FusedConvLora
from trainer.network.fused_weight import FusedWeight
from trainer.network.module_spec import ModuleSpec
from trainer.network.network_layout import Layout, layout_for

LAYERS = {
    "linear": lambda: nn.Linear(12, 20),
    "linear without bias": lambda: nn.Linear(12, 20, bias=False),
    "projection": lambda: nn.Conv2d(12, 20, 1),
    "convolution": lambda: nn.Conv2d(12, 20, 3, stride=2, padding=1),
}
SPECS = {
    "dora": ModuleSpec("dora", 3, 2.0),
    "loha": ModuleSpec("loha", 3, 2.0),
    "lokr of one product": ModuleSpec("lokr", 1, 2.0),
    "lokr of two products": ModuleSpec("lokr", 1, 0.5, decompose_both=True),
    "whole lokr": ModuleSpec("lokr", 100, 2.0, factor=4),
}


def _layer(kind: str) -> nn.Linear | nn.Conv2d:
    torch.manual_seed(0)
    return LAYERS[kind]().double().requires_grad_(False)


def _input(layer: nn.Module, grad: bool) -> Tensor:
    shape = (2, 5, 12) if isinstance(layer, nn.Linear) else (2, 12, 6, 4)
    return torch.randn(shape, dtype=torch.float64, requires_grad=grad)


def _values(layout: Layout) -> list[Tensor]:
    return [torch.randn(part.shape, dtype=torch.float64, requires_grad=True) for part in layout.parts]


def _plain(layer: nn.Module, x: Tensor, weight: Tensor) -> Tensor:
    return torch.func.functional_call(layer, {"weight": weight}, (x,))


def _same(found: Tensor, expected: Tensor, wanted: list[Tensor]) -> Iterator[bool]:
    yield torch.allclose(found, expected, rtol=1e-9, atol=1e-10)
    weights = torch.randn_like(expected)
    for a, b in zip(
        torch.autograd.grad((found * weights).sum(), wanted),
        torch.autograd.grad((expected * weights).sum(), wanted),
        strict=True,
    ):
        yield a.shape == b.shape and torch.allclose(a, b, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("needs_input", [True, False], ids=["to the input", "not to the input"])
@pytest.mark.parametrize("drops", [False, True], ids=["all rows", "dropped rows"])
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())
@pytest.mark.parametrize("kind", LAYERS)
def test_output_and_gradients_are_those_of_the_plain_formula(
    kind: str, spec: ModuleSpec, drops: bool, needs_input: bool
) -> None:
    layer = _layer(kind)
    layout = layout_for(spec, layer.weight)
    x, parts = _input(layer, needs_input), _values(layout)
    roles = tuple(part.role for part in layout.parts)
    rows = (torch.arange(20, dtype=torch.float64)[:, None] % 3 != 0).double() if drops else None
    found = FusedWeight.apply(x, layer, roles, layout.scale, rows, *parts)
    expected = _plain(layer, x, _naive(layer.weight, dict(zip(roles, parts, strict=True)), layout.scale, rows))
    assert all(_same(found, expected, [x, *parts] if needs_input else parts))


def test_a_magnitude_for_each_output_is_followed_too() -> None:
    layer = _layer("linear")
    roles = ("lora_down.weight", "lora_up.weight", "dora_scale")
    x = _input(layer, True)
    parts = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((3, 12), (20, 3), (20, 1))]
    found = FusedWeight.apply(x, layer, roles, 0.7, None, *parts)
    expected = _plain(layer, x, naive_weight(layer.weight, dict(zip(roles, parts, strict=True)), 0.7))
    assert all(_same(found, expected, [x, *parts]))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("needs_input", [True, False])
@pytest.mark.parametrize("drops", [False, True])
def test_a_convolutions_lora_gives_the_gradients_of_plain_autograd(
    layout: torch.memory_format, needs_input: bool, drops: bool
) -> None:
    layer = _layer("convolution")
    assert isinstance(layer, nn.Conv2d)
    x = _input(layer, False).contiguous(memory_format=layout).requires_grad_(needs_input)
    down = torch.randn(3, 12, 3, 3, dtype=torch.float64, requires_grad=True)
    up = torch.randn(20, 3, dtype=torch.float64, requires_grad=True)
    mask = torch.rand(2, 6, 3, dtype=torch.float64)
    drop = (lambda *_: mask) if drops else None
    found = FusedConvLora.apply(x, layer, down, up, down.detach(), up.detach(), 0.3, drop)
    hidden = torch.nn.functional.conv2d(x, down, stride=2, padding=1) * 0.3
    if drops:
        hidden = hidden * mask.transpose(1, 2).reshape(hidden.shape)
    expected = layer(x) + torch.nn.functional.conv2d(hidden, up[:, :, None, None])
    assert all(_same(found, expected, [x, down, up] if needs_input else [down, up]))


def _naive(weight: Tensor, tensors: dict[str, Tensor], scale: float, rows: Tensor | None) -> Tensor:
    if rows is None:
        return naive_weight(weight, tensors, scale)
    magnitude = tensors.pop("dora_scale", None)
    shape = (-1, *(1 for _ in weight.shape[1:]))
    whole = weight + (naive_weight(weight, tensors, scale) - weight) * rows.view(shape)
    return whole if magnitude is None else naive_weight(whole, {**_none(whole), "dora_scale": magnitude}, 1.0)


def _none(weight: Tensor) -> dict[str, Tensor]:
    down = weight.new_zeros((1, weight.shape[1], *weight.shape[2:]))
    return {
        "lora_down.weight": down,
        "lora_up.weight": weight.new_zeros((weight.shape[0], 1, *(1 for _ in weight.shape[2:]))),
    }
