"""The LoRA in training against plain autograd, and the flat buffers behind it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from some_settings import some_settings
from trainer.network.fused_lora import FusedLora, LinearLora
from trainer.network.network import LoraNetwork
from trainer.step.optimizer import Optimizer

CPU = torch.device("cpu")


def _network(module: nn.Module, name: str = "lora_unet_a", **options: float) -> LoraNetwork:
    facts = {"dim": 4, "alpha": 2.0, "seed": 1, **options}
    return LoraNetwork({name: module}, device=CPU, dtype=torch.float32, **facts)


def _fill(network: LoraNetwork) -> None:
    with torch.no_grad():
        for flat in network.flat:
            flat.normal_(generator=torch.Generator().manual_seed(3))


def test_hands_side_by_side_give_the_gradient_of_the_whole_batch_and_the_same_bits_each_time() -> None:
    torch.manual_seed(0)
    x = torch.randn(6, 5, 8)

    def gradient(hands: int) -> Tensor:
        layer = nn.Linear(8, 3, bias=False)
        nn.init.ones_(layer.weight.requires_grad_(False))
        network = _network(layer, hands=hands)
        _fill(network)

        def work(hand: int) -> None:
            network.take_hand(hand)
            (layer(x.chunk(hands)[hand]).square().mean() / hands).backward()

        with ThreadPoolExecutor(hands) as pool:
            list(pool.map(work, range(hands)))
        network.gather()
        assert network.flat[0].grad is not None
        return network.flat[0].grad.clone()

    assert torch.allclose(gradient(2), gradient(1), rtol=1e-4, atol=1e-5)
    assert torch.equal(gradient(2), gradient(2))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("needs_input", [True, False])
def test_the_fused_function_gives_the_gradients_of_plain_autograd(bias: bool, needs_input: bool) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 5, 6, requires_grad=needs_input)
    weight, offset = torch.randn(3, 6), torch.randn(3) if bias else None
    down, up = torch.randn(4, 6, requires_grad=True), torch.randn(3, 4, requires_grad=True)
    wanted = [tensor for tensor in (x, down, up) if tensor.requires_grad]
    fused = FusedLora.apply(x, down, up, LinearLora(weight, offset, down.detach(), up.detach(), 0.3))
    plain = F.linear(x, weight, offset) + 0.3 * (x @ down.T @ up.T)
    assert torch.allclose(fused, plain, atol=1e-5)
    weights = torch.randn_like(plain)
    for a, b in zip(
        torch.autograd.grad((fused * weights).sum(), wanted),
        torch.autograd.grad((plain * weights).sum(), wanted),
        strict=True,
    ):
        assert torch.allclose(a, b, atol=1e-4)


def test_a_new_lora_changes_nothing_and_a_1x1_convolution_is_a_linear_layer() -> None:
    layer = nn.Conv2d(8, 6, 1).requires_grad_(False)
    x = torch.randn(2, 8, 3, 5).to(memory_format=torch.channels_last)
    before = layer(x)
    network = _network(layer)
    assert torch.allclose(layer(x), before, atol=1e-6)
    _fill(network)
    module = network.weights().modules["lora_unet_a"]
    expected = before + F.conv2d(F.conv2d(x, module.down), module.up) * (2.0 / 4)
    assert module.down.shape == (4, 8, 1, 1) and module.up.shape == (6, 4, 1, 1)
    assert torch.allclose(layer(x), expected, atol=1e-5)
    with network.disabled():
        assert torch.equal(layer(x), before)


def test_the_down_half_starts_as_kohyas_kaiming_uniform_and_depends_on_the_seed() -> None:
    first, again, other = (_network(nn.Linear(64, 8), dim=16, seed=seed).flat[0] for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    down = first[: 16 * 64]
    assert 0.9 / 8 < float(down.detach().abs().max()) <= 1 / 8
    assert not first[16 * 64 :].any()


def test_one_step_equals_torchs_adamw_over_separate_parameters_with_clipping() -> None:
    layers = [nn.Linear(6, 5), nn.Linear(5, 6)]
    targets = dict(zip(("lora_unet_a", "lora_te_b"), layers, strict=True))
    network = LoraNetwork(targets, dim=4, alpha=4, seed=1, device=CPU, dtype=torch.float32)
    _fill(network)
    rates = {"unet": 0.01, "text_encoder": 0.002}
    optimizer = Optimizer(network, some_settings(weight_decay=0.1, max_grad_norm=0.5), learning_rates=rates)
    copies = {name: group.value.detach().clone().requires_grad_() for name, group in network.groups.items()}
    reference = torch.optim.AdamW([{"params": [c], "lr": rates[n]} for n, c in copies.items()], weight_decay=0.1)
    x = torch.randn(3, 6)
    for _ in range(3):
        optimizer.backward(layers[1](layers[0](x)).square().mean())
        for name, group in network.groups.items():
            assert group.value.grad is not None
            copies[name].grad = group.value.grad.clone()
        torch.nn.utils.clip_grad_norm_(list(copies.values()), 0.5)
        for group in reference.param_groups:
            group["lr"] = 0.5 * rates["unet" if group["params"][0] is copies["unet"] else "text_encoder"]
        reference.step()
        assert optimizer.step(0.5)
        for name, group in network.groups.items():
            assert torch.allclose(group.value, copies[name], atol=1e-6)


def test_an_overflow_in_fp16_is_left_out_and_halves_the_scale() -> None:
    layer = nn.Linear(6, 5, dtype=torch.float16).requires_grad_(False)
    network = LoraNetwork({"lora_unet_a": layer}, dim=2, alpha=1, seed=1, device=CPU, dtype=torch.float16)
    rates = {"unet": 0.1}
    optimizer = Optimizer(network, some_settings(weight_decay=0.0, mixed_precision="fp16"), learning_rates=rates)
    before = network.flat[0].detach().clone()

    def loss() -> Tensor:
        return layer(torch.ones(4, 6, dtype=torch.float16)).float().square().mean()

    optimizer.backward(loss() * float("inf"))
    assert not optimizer.step(1)
    assert optimizer.loss_scale == 2.0**15 and torch.equal(network.flat[0], before)
    optimizer.backward(loss())
    assert optimizer.step(1)
    assert not torch.equal(network.flat[0], before)


def test_what_was_saved_goes_on_as_if_nothing_had_happened() -> None:
    def make() -> tuple[nn.Linear, Optimizer]:
        torch.manual_seed(5)
        layer = nn.Linear(6, 5)
        network = _network(layer)
        return layer, Optimizer(network, some_settings(weight_decay=0.1), learning_rates={"unet": 0.01})

    def run(layer: nn.Linear, optimizer: Optimizer, steps: range) -> None:
        for step in steps:
            x = torch.randn(3, 6, generator=torch.Generator().manual_seed(step))
            optimizer.backward(layer(x).square().mean())
            optimizer.step(1)

    whole, broken, resumed = make(), make(), make()
    run(*whole, range(6))
    run(*broken, range(3))
    resumed[1].restore({name: tensor.clone() for name, tensor in broken[1].tensors().items()})
    run(*resumed, range(3, 6))
    assert all(
        torch.equal(a, b) for a, b in zip(whole[1].tensors().values(), resumed[1].tensors().values(), strict=True)
    )
