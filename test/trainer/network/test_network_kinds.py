"""Every kind of network: what it starts with, what its file holds, and that it is drawn as it was trained."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from naive_networks import naive_weight
from trainer.failure import Failure
from trainer.grid.lora_batch import LoraBatch
from trainer.network.dropout import Dropout
from trainer.network.lora_file import lora_bytes, lora_tensors
from trainer.network.lora_weights import LohaModule, LoraModule, LoraWeights
from trainer.network.merged_weight import merged_weight
from trainer.network.module_spec import ModuleSpec
from trainer.network.network import LoraNetwork
from trainer.network.read_lora import read_lora

CPU = torch.device("cpu")
LINEAR, PROJECTION, CONVOLUTION = "lora_te_a", "lora_unet_b", "lora_unet_c"
SPECS = {
    "lora": ModuleSpec("lora", 3, 2.0),
    "dora": ModuleSpec("dora", 3, 2.0),
    "loha": ModuleSpec("loha", 3, 2.0),
    "lokr": ModuleSpec("lokr", 1, 2.0),
    "lokr of two products": ModuleSpec("lokr", 1, 2.0, decompose_both=True),
    "whole lokr": ModuleSpec("lokr", 100, 2.0, factor=4),
}
every_kind = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS.keys())


class _Layers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(12, 20)
        self.projection = nn.Conv2d(12, 20, 1)
        self.convolution = nn.Conv2d(12, 20, 3, stride=2, padding=1)

    def forward(self, tokens: Tensor, picture: Tensor) -> list[Tensor]:
        return [self.linear(tokens), self.projection(picture), self.convolution(picture)]


def _layers() -> tuple[_Layers, dict[str, nn.Module]]:
    torch.manual_seed(0)
    layers = _Layers().requires_grad_(False)
    return layers, dict(zip((LINEAR, PROJECTION, CONVOLUTION), layers.children(), strict=True))


def _inputs(count: int = 2) -> tuple[Tensor, Tensor]:
    torch.manual_seed(1)
    return torch.randn(count, 5, 12), torch.randn(count, 12, 6, 4)


def _network(spec: ModuleSpec, **options: object) -> tuple[_Layers, LoraNetwork]:
    layers, targets = _layers()
    facts = {"specs": dict.fromkeys(targets, spec), "seed": 1, "device": CPU, "dtype": torch.float32, **options}
    return layers, LoraNetwork(targets, **facts)  # type: ignore[arg-type]


def _move(network: LoraNetwork) -> None:
    with torch.no_grad():
        for flat in network.flat:
            flat.add_(torch.randn(flat.shape, generator=torch.Generator().manual_seed(3)), alpha=0.2)
    network.refresh()


@every_kind
def test_a_new_network_changes_nothing(spec: ModuleSpec) -> None:
    inputs = _inputs()
    plain = _layers()[0](*inputs)
    layers, network = _network(spec)
    assert all((a - b).abs().max() < 1e-6 for a, b in zip(layers(*inputs), plain, strict=True))
    _move(network)
    assert all((a - b).abs().max() > 1e-2 for a, b in zip(layers(*inputs), plain, strict=True))
    with network.disabled():
        assert all(torch.equal(a, b) for a, b in zip(layers(*inputs), plain, strict=True))


@every_kind
@pytest.mark.parametrize("forwards", [1, 9], ids=["for one forward", "with kept weights"])
def test_a_file_is_drawn_at_each_weight_as_the_plain_formula_says(
    spec: ModuleSpec, forwards: int, tmp_path: Path
) -> None:
    _, network = _network(spec)
    _move(network)
    path = _write(tmp_path, network.weights())
    layers, targets = _layers()
    other, _ = _network(ModuleSpec("lora", 2, 1.0))[1].weights(), None
    rows = [(0, 0.0), (0, 0.5), (1, 0.5), (0, 1.0), (None, 1.0)]
    inputs = _inputs(len(rows))
    with torch.no_grad(), LoraBatch(targets, [read_lora(path), other]) as batch:
        batch.set_rows(rows, forwards=forwards)
        found = layers(*inputs)
    for index, (lora, weight) in enumerate(rows):
        expected = _naive_outputs(read_lora(path) if lora == 0 else LoraWeights({}), weight, inputs, index)
        for a, b in zip(found, expected, strict=True):
            assert (a[index : index + 1] - b).abs().max() < 1e-5


@every_kind
def test_what_is_drawn_at_weight_1_is_what_was_trained(spec: ModuleSpec) -> None:
    inputs = _inputs()
    layers, network = _network(spec)
    _move(network)
    trained = layers(*inputs)
    with torch.no_grad(), network.disabled(), LoraBatch(_targets(layers), [network.weights()]) as batch:
        batch.set_rows([(0, 1.0)])
        drawn = layers(*inputs)
    assert all((a - b).abs().max() < 1e-5 for a, b in zip(trained, drawn, strict=True))


@every_kind
def test_training_goes_on_from_a_file_with_the_files_shapes(spec: ModuleSpec, tmp_path: Path) -> None:
    inputs = _inputs()
    layers, network = _network(spec)
    _move(network)
    trained = layers(*inputs)
    start = read_lora(_write(tmp_path, network.weights()))
    again, network = _network(ModuleSpec("lora", 7, 7.0), start=start)
    assert all((a - b).abs().max() < 1e-5 for a, b in zip(again(*inputs), trained, strict=True))
    tensors = lora_tensors(network.weights(), "float")
    assert all(torch.equal(tensors[key], value) for key, value in lora_tensors(start, "float").items())


def test_a_file_for_other_layers_or_one_that_cannot_be_trained_is_refused() -> None:
    wide = LoraWeights({LINEAR: LoraModule(torch.zeros(4, 99), torch.zeros(20, 4), 4)})
    with pytest.raises(Failure, match="made for another base model"):
        _network(SPECS["lora"], start=wide)
    factors = torch.zeros(3, 20), torch.zeros(3, 12)
    tucker = LohaModule(*factors, *factors, 1.0, torch.zeros(3, 3, 3, 3), torch.zeros(3, 3, 3, 3))
    with pytest.raises(Failure, match="hada_t1"):
        _network(SPECS["lora"], start=LoraWeights({CONVOLUTION: tucker}))


@every_kind
def test_hands_share_the_gradient_of_each_kind(spec: ModuleSpec) -> None:
    def gradient(hands: int) -> Tensor:
        layers, network = _network(spec, hands=hands)
        _move(network)
        for hand, parts in enumerate(zip(*(x.chunk(hands) for x in _inputs(4)), strict=True)):
            network.take_hand(hand)
            (sum(y.square().mean() for y in layers(*parts)) / hands).backward()
        network.gather()
        return torch.cat([flat.grad for flat in network.flat if flat.grad is not None])

    assert torch.allclose(gradient(2), gradient(1), rtol=1e-4, atol=1e-5)


def test_with_lora_plus_the_up_halves_are_groups_of_their_own() -> None:
    _, plain = _network(SPECS["dora"])
    _, network = _network(SPECS["dora"], plus=True)
    assert list(plain.groups) == ["unet", "text_encoder"]
    assert list(network.groups) == ["unet", "unet_plus", "text_encoder", "text_encoder_plus"]
    assert network.groups["text_encoder_plus"].value.shape == (20 * 3,)
    assert sum(map(len, network.flat)) == sum(map(len, plain.flat))
    first, second = (lora_tensors(one.weights(), "float") for one in (plain, network))
    assert all(torch.equal(tensor, second[key]) for key, tensor in first.items())


@every_kind
def test_dropouts_depend_on_seed_and_step_alone(spec: ModuleSpec) -> None:
    layers, network = _network(spec, dropout=Dropout(network=0.3, rank=0.3, module=0.2))
    _move(network)
    inputs = _inputs()

    def outputs(step: int, part: int = 0) -> Tensor:
        network.begin(step, part)
        return torch.cat([y.flatten() for y in layers(*inputs)])

    first = outputs(1)
    assert not torch.equal(outputs(2), first) and not torch.equal(outputs(1, 1), first)
    assert torch.equal(outputs(1), first)


def test_modules_are_left_out_as_often_as_asked_for() -> None:
    dropout = Dropout(module=0.3)
    skipped = sum(dropout.skips(7, (step, 0, "lora_unet_a")) for step in range(2000))
    assert 0.26 < skipped / 2000 < 0.34


def test_what_is_kept_keeps_the_expectation_and_a_sample_drops_whole_ranks() -> None:
    like = torch.zeros(1)
    factors = Dropout(network=0.25, rank=0.5).factors(1, ("a",), (40, 50, 20), like)
    assert abs(float(factors.mean()) - 1) < 0.05
    ranks = Dropout(rank=0.5).factors(1, ("a",), (4, 5, 6), like)
    assert ranks.shape == (4, 5, 6) and torch.equal(ranks[:, :1].expand_as(ranks), ranks)
    assert set(ranks.flatten().tolist()) == {0.0, 2.0}


@every_kind
def test_norms_above_the_limit_are_scaled_down_to_it(spec: ModuleSpec) -> None:
    _, network = _network(spec)
    _move(network)
    layers, _ = _layers()
    shapes = [module.weight.shape for module in layers.children()]
    before = _norms(network, shapes)
    limit = sorted(before)[1] * 1.0001
    assert network.limit_norms(limit) == 1
    after = _norms(network, shapes)
    for old, new in zip(before, after, strict=True):
        assert abs(new - min(old, limit)) < 1e-4 * limit
    assert network.limit_norms(limit * 1.001) == 0


def _norms(network: LoraNetwork, shapes: list[torch.Size]) -> list[float]:
    modules = network.weights().modules.values()
    return [float(module.change(shape).norm()) for module, shape in zip(modules, shapes, strict=True)]


def _write(folder: Path, weights: LoraWeights) -> Path:
    saved = lora_bytes(lora_tensors(weights, "float"), {})
    path = folder / "some.safetensors"
    path.write_bytes(saved.header + saved.block)
    return path


def _targets(layers: _Layers) -> dict[str, nn.Module]:
    return dict(zip((LINEAR, PROJECTION, CONVOLUTION), layers.children(), strict=True))


def _naive_outputs(lora: LoraWeights, weight: float, inputs: tuple[Tensor, Tensor], index: int) -> list[Tensor]:
    outputs = []
    if not lora.modules:
        return [y for y in _layers()[0](*(x[index : index + 1] for x in inputs))]
    for (name, layer), x in zip(_layers()[1].items(), (inputs[0], inputs[1], inputs[1]), strict=True):
        module = lora.modules[name]
        changed = naive_weight(layer.weight, module.tensors(), module.scale, weight)
        outputs.append(torch.func.functional_call(layer, {"weight": changed}, (x[index : index + 1],)))
    return outputs


@every_kind
@pytest.mark.parametrize("multiplier", [0.0, 0.5, 1.0, -0.3])
def test_merged_weights_are_those_of_the_plain_formula(spec: ModuleSpec, multiplier: float) -> None:
    _, network = _network(spec)
    _move(network)
    for name, layer in _layers()[1].items():
        module = network.weights().modules[name]
        weight: Tensor = layer.weight
        expected = naive_weight(
            weight.double(), {k: v.double() for k, v in module.tensors().items()}, module.scale, multiplier
        )
        assert (merged_weight(weight, module, multiplier) - expected).abs().max() < 1e-5
