import pytest
import torch
from torch import Tensor, nn

from bench.merge import merged
from bench.random_lora import random_lora
from drawing_base import all_targets, plain_targets, tiny_base
from trainer.failure import Failure
from trainer.grid.lora_batch import LoraBatch
from trainer.grid.lora_rows import Row
from trainer.network.lora_weights import LoraModule, LoraWeights
from trainer.network.network import LoraNetwork

CLOSE = 2e-5
_SHAPES = ((4, 1), (8, 8), (3, 2))


class _Layers(nn.Module):
    """One layer of each shape that a LoRA meets."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(12, 20)
        self.projection = nn.Conv2d(12, 20, 1)
        self.convolution = nn.Conv2d(12, 20, 3, stride=2, padding=1)

    def forward(self, tokens: Tensor, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.linear(tokens), self.projection(picture), self.convolution(picture)


def _layers() -> tuple[_Layers, dict[str, nn.Module]]:
    torch.manual_seed(0)
    layers = _Layers().requires_grad_(False)
    return layers, dict(layers.named_children())


def _loras(targets: dict[str, nn.Module]) -> list[LoraWeights]:
    return [random_lora(targets, rank=rank, alpha=alpha, seed=rank, size=0.3) for rank, alpha in _SHAPES]


def _one_by_one(
    layers: nn.Module,
    targets: dict[str, nn.Module],
    loras: list[LoraWeights],
    rows: list[Row],
    inputs: tuple[Tensor, ...],
) -> list[Tensor]:
    results = []
    for index, (lora, weight) in enumerate(rows):
        with merged(targets, None if lora is None else loras[lora], weight):
            results.append(layers(*(x[index : index + 1] for x in inputs)))
    return [torch.cat(parts) for parts in zip(*results, strict=True)]


@pytest.mark.parametrize("forwards", [1, 9], ids=["low-rank products", "weights of their own"])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    "rows",
    [
        [(0, 0.5), (0, 1.0), (1, 0.5), (1, 1.0), (2, 0.5), (2, 1.0)],
        [(None, 0.0), (0, 0.7), (1, -1.0), (1, 1.3), (2, 2.0), (2, 0.0)],
        [(2, 1.0), (0, 1.0), (None, 1.0), (2, -0.4), (1, 3.0), (0, 0.2)],
    ],
    ids=["equal stretches", "base model first", "in any order"],
)
def test_each_row_equals_the_layers_with_its_lora_merged(
    rows: list[Row], layout: torch.memory_format, forwards: int
) -> None:
    layers, targets = _layers()
    loras = _loras(targets)
    tokens, picture = torch.randn(6, 5, 12), torch.randn(6, 12, 8, 8).contiguous(memory_format=layout)
    expected = _one_by_one(layers, targets, loras, rows, (tokens, picture))
    with torch.no_grad(), LoraBatch(targets, loras) as batch:
        batch.set_rows(rows, forwards=forwards)
        found = layers(tokens, picture)
    for a, b in zip(found, expected, strict=True):
        assert (a - b).abs().max() < CLOSE


def test_a_batch_of_several_samples_a_row_gives_each_row_neighbours() -> None:
    layers, targets = _layers()
    loras = _loras(targets)
    rows = [(0, 1.0), (None, 0.0), (2, 0.5)]
    inputs = torch.randn(6, 5, 12), torch.randn(6, 12, 8, 8)
    expected = _one_by_one(layers, targets, loras, [row for row in rows for _ in range(2)], inputs)
    with torch.no_grad(), LoraBatch(targets, loras) as batch:
        batch.set_rows(rows)
        found = layers(*inputs)
    assert all((a - b).abs().max() < CLOSE for a, b in zip(found, expected, strict=True))


def test_rows_that_do_not_divide_the_batch_are_refused() -> None:
    layers, targets = _layers()
    with torch.no_grad(), LoraBatch(targets, _loras(targets)) as batch:
        batch.set_rows([(0, 1.0), (1, 1.0)])
        with pytest.raises(ValueError, match="2 rows"):
            layers(torch.randn(3, 5, 12), torch.randn(3, 12, 8, 8))


def test_a_lora_that_lacks_a_layer_leaves_it_alone() -> None:
    layers, targets = _layers()
    whole, part = _loras(targets)[:2]
    part = LoraWeights({"linear": part.modules["linear"]})
    rows = [(0, 1.0), (1, 1.0)]
    inputs = torch.randn(2, 5, 12), torch.randn(2, 12, 8, 8)
    expected = _one_by_one(layers, targets, [whole, part], rows, inputs)
    with torch.no_grad(), LoraBatch(targets, [whole, part]) as batch:
        batch.set_rows(rows)
        found = layers(*inputs)
    assert all((a - b).abs().max() < CLOSE for a, b in zip(found, expected, strict=True))


def test_without_rows_and_after_the_block_the_base_model_is_untouched() -> None:
    layers, targets = _layers()
    inputs = torch.randn(2, 5, 12), torch.randn(2, 12, 8, 8)
    with torch.no_grad():
        before = layers(*inputs)
        with LoraBatch(targets, _loras(targets)) as batch:
            inside = layers(*inputs)
            batch.set_rows([(0, 1.0), (1, 1.0)])
        after = layers(*inputs)
    for a, b, c in zip(before, inside, after, strict=True):
        assert torch.equal(a, b) and torch.equal(a, c)


def test_modules_that_the_base_model_lacks_are_named() -> None:
    _, targets = _layers()
    lora = _loras(targets)[0]
    stranger = LoraWeights({**lora.modules, "lora_te2_text_model_x": lora.modules["linear"]})
    batch = LoraBatch(targets, [lora, stranger])
    assert batch.unknown == ((), ("lora_te2_text_model_x",))


def test_a_lora_of_another_shape_is_refused_with_a_sentence() -> None:
    _, targets = _layers()
    wide = LoraModule(down=torch.zeros(4, 99), up=torch.zeros(20, 4), alpha=4)
    with pytest.raises(Failure, match="made for another base model") as caught:
        LoraBatch(targets, [LoraWeights({"linear": wide})])
    assert caught.value.code == "lora_corrupt"


def _unet_inputs(count: int) -> tuple[Tensor, Tensor, Tensor]:
    source = torch.Generator().manual_seed(5)
    latents = torch.randn(count, 4, 8, 8, generator=source)
    return latents, torch.full((count,), 400), torch.randn(count, 77, 32, generator=source)


def test_the_whole_unet_with_locon_files_of_mixed_ranks_equals_merged_weights() -> None:
    base = tiny_base()
    targets = all_targets(base)
    loras = [random_lora(targets, rank=rank, alpha=1, seed=rank, size=0.1) for rank in (4, 9)]
    rows = [(0, 1.0), (0, -0.5), (1, 1.5), (1, 0.3), (None, 0.0)]
    latents, time, context = _unet_inputs(len(rows))
    with torch.no_grad():
        with LoraBatch(targets, loras) as batch:
            batch.set_rows(rows)
            found = base.unet(latents, time, context)
        for index, (lora, weight) in enumerate(rows):
            one = slice(index, index + 1)
            with merged(targets, None if lora is None else loras[lora], weight):
                expected = base.unet(latents[one], time[one], context[one])
            assert (found[one] - expected).abs().max() < 1e-4


def test_it_draws_with_the_lora_in_training_while_that_is_disabled() -> None:
    base = tiny_base()
    targets = plain_targets(base)
    network = LoraNetwork(targets, dim=4, alpha=2, seed=1, device=base.device, dtype=base.dtype)
    for value in network.flat:
        value.detach().normal_(0, 0.05, generator=torch.Generator().manual_seed(3))
    network.refresh()
    latents, time, context = _unet_inputs(1)
    try:
        with torch.no_grad():
            trained = base.unet(latents, time, context)
            with network.disabled(), LoraBatch(targets, [network.weights()]) as batch:
                batch.set_rows([(0, 1.0), (0, 0.0)])
                both = base.unet(latents.repeat(2, 1, 1, 1), time.repeat(2), context.repeat(2, 1, 1))
            with network.disabled():
                plain = base.unet(latents, time, context)
    finally:
        network.detach()
    with torch.no_grad():
        assert (base.unet(latents, time, context) - plain).abs().max() < 1e-5
    assert (both[:1] - trained).abs().max() < 1e-4
    assert (both[1:] - plain).abs().max() < 1e-4
    assert (trained - plain).abs().max() > 1e-2
