"""Layers that read the same input: one product for all of them, with and without their LoRAs."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainer.model.joined_linear import JoinedLinear
from trainer.network.dropout import Dropout
from trainer.network.module_spec import ModuleSpec
from trainer.network.network import LoraNetwork

CPU = torch.device("cpu")
OUTS = (6, 6, 4, 4, 4, 6)


def _joined(bias: bool, dtype: torch.dtype = torch.float64) -> JoinedLinear:
    torch.manual_seed(0)
    joined = JoinedLinear([nn.Linear(5, out, bias=bias) for out in OUTS])
    joined.place(CPU, dtype)
    for layer in joined.layers:
        for parameter in layer.parameters():
            nn.init.normal_(parameter)
    return joined


def _network(
    joined: JoinedLinear, *, ranks: Sequence[int] = (3,) * 6, alphas: Sequence[float] = (2,) * 6, **options: object
) -> LoraNetwork:
    names = [f"lora_unet_{index}" for index in range(len(OUTS))]
    specs = {name: ModuleSpec("lora", rank, alpha) for name, rank, alpha in zip(names, ranks, alphas, strict=True)}
    network = LoraNetwork(
        dict(zip(names, joined.layers, strict=True)), specs=specs, seed=1, device=CPU, dtype=torch.float32, **options
    )
    with torch.no_grad():
        for flat in network.flat:
            flat.normal_(generator=torch.Generator().manual_seed(2))
    network.refresh()
    return network


def _gradients(joined: JoinedLinear, network: LoraNetwork, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    for flat in network.flat:
        assert flat.grad is not None
        flat.grad.zero_()
    outputs = joined(x)
    torch.manual_seed(3)
    sum((output * torch.randn_like(output)).sum() for output in outputs).backward()
    return torch.cat(list(outputs), dim=-1).detach(), [flat.grad.clone() for flat in network.flat]


@pytest.mark.parametrize("plus", [False, True])
@pytest.mark.parametrize("needs_input", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("ranks", "alphas"), [((3,) * 6, (2,) * 6), ((3, 3, 3, 2, 2, 2), (2,) * 6), ((3,) * 6, (2, 1, 1, 1, 2, 2))]
)
def test_all_at_once_is_what_each_layer_gives_alone(
    ranks: tuple[int, ...], alphas: tuple[float, ...], bias: bool, needs_input: bool, plus: bool
) -> None:
    joined = _joined(bias, torch.float32)
    network = _network(joined, ranks=ranks, alphas=alphas, plus=plus)
    x = torch.randn(2, 3, 5, requires_grad=needs_input)
    together, gradients = _gradients(joined, network, x)
    of_input = x.grad
    x.grad = None
    assert joined.hook is not None
    joined.hook = None
    alone, expected = _gradients(joined, network, x)
    assert torch.allclose(together, alone, atol=1e-5)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(gradients, expected, strict=True))
    if needs_input:
        assert torch.allclose(of_input, x.grad, atol=1e-5)


def test_every_layers_own_formula_gives_the_same() -> None:
    joined = _joined(True, torch.float32)
    network = _network(joined)
    x = torch.randn(7, 5, requires_grad=True)
    outputs, weights = joined(x), network.weights().modules
    for index, (layer, output) in enumerate(zip(joined.layers, outputs, strict=True)):
        lora = weights[f"lora_unet_{index}"]
        plain = F.linear(x, layer.weight, layer.bias) + lora.scale * (x @ lora.down.T @ lora.up.T)
        assert torch.allclose(output, plain, atol=1e-5)


def test_hands_have_gradients_of_their_own() -> None:
    x = torch.randn(4, 5)

    def gradient(hands: int) -> Tensor:
        joined = _joined(False, torch.float32)
        network = _network(joined, hands=hands)

        def work(hand: int) -> None:
            network.take_hand(hand)
            sum(output.square().sum() for output in joined(x.chunk(hands)[hand])).backward()

        with ThreadPoolExecutor(hands) as pool:
            list(pool.map(work, range(hands)))
        network.gather()
        assert network.flat[0].grad is not None
        return network.flat[0].grad.clone()

    assert torch.allclose(gradient(2), gradient(1), rtol=1e-4, atol=1e-4)


def test_without_networks_or_with_dropout_each_goes_its_own_way() -> None:
    joined = _joined(True, torch.float32)
    x = torch.randn(3, 5)
    plain = [F.linear(x, layer.weight, layer.bias) for layer in joined.layers]
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(joined(x), plain, strict=True))
    network = _network(joined, dropout=Dropout(0.5, 0.0, 0.0))
    assert joined.hook is not None and joined.hook(x) is None
    with network.disabled():
        assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(joined(x), plain, strict=True))


def test_low_precision_gathers_its_gradients_in_float32() -> None:
    joined = _joined(True, torch.bfloat16)
    names = [f"lora_unet_{index}" for index in range(len(OUTS))]
    targets = dict(zip(names, joined.layers, strict=True))
    network = LoraNetwork(targets, dim=2, alpha=1, seed=1, device=CPU, dtype=torch.bfloat16)
    outputs = joined(torch.randn(3, 5, dtype=torch.bfloat16))
    sum(output.float().sum() for output in outputs).backward()
    gradient = network.flat[0].grad
    assert gradient is not None and gradient.dtype == torch.float32 and float(gradient.abs().sum()) > 0
