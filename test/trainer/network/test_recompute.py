"""A model whose activations are made again: the same gradients from less memory."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from saved_bytes import saved_bytes
from tiny_checkpoint import write_tiny_checkpoint
from trainer.model.base_model import BaseModel, load_base_model
from trainer.model.predict import predict, whole_size
from trainer.model.text import encode_prompts
from trainer.network.dropout import Dropout
from trainer.network.module_spec import ModuleSpec
from trainer.network.network import LoraNetwork
from trainer.network.targets import lora_targets
from trainer.side_by_side import lone_threads

CPU = torch.device("cpu")
NETWORKS = ("lora", "locon", "dora", "loha", "lokr")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("kinds")
    return {kind: write_tiny_checkpoint(folder / kind, kind=kind) for kind in ("sd1", "sdxl")}


def _network(base: BaseModel, kind: str = "lora", hands: int = 1, dropout: Dropout | None = None) -> LoraNetwork:
    targets = lora_targets(base.unet, base.text_encoders, convolutions=kind != "lora")
    spec = ModuleSpec("lora" if kind == "locon" else kind, 2, 1)
    network = LoraNetwork(
        targets,
        specs=dict.fromkeys(targets, spec),
        dropout=dropout or Dropout(),
        seed=1,
        device=CPU,
        dtype=base.dtype,
        hands=hands,
    )
    with torch.no_grad():
        for flat in network.flat:
            flat.add_(torch.randn(flat.shape, generator=torch.Generator().manual_seed(2)), alpha=0.02)
    network.refresh()
    return network


def _loss(base: BaseModel, batch: int = 2, seed: int = 3) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    conditioning = encode_prompts(base, ["a red cat"] * batch, clip_skip=1, max_token_length=75)
    noisy, target = (torch.randn(batch, 4, 16, 16, generator=source) for _ in range(2))
    predicted = predict(base, noisy, torch.full((batch,), 300), conditioning, [whole_size(128, 128)] * batch)
    return (predicted - target).square().mean()


def _gradients(network: LoraNetwork) -> list[Tensor]:
    found = [flat.grad.clone() for flat in network.flat]
    for flat in network.flat:
        flat.grad.zero_()
    return found


def _recompute(base: BaseModel, on: bool) -> None:
    for module in (base.unet, *base.text_encoders):
        module.recomputes = on


def _both(checkpoint: Path, dtype: torch.dtype = torch.float32, **options: Any) -> list[tuple[float, list[Tensor]]]:  # noqa: ANN401
    """Loss and gradients, with all activations kept and with few."""
    base = load_base_model(checkpoint, device=CPU, dtype=dtype)
    network = _network(base, **options)
    found = []
    for on in (False, True):
        _recompute(base, on)
        network.begin(5)
        loss = _loss(base)
        loss.backward()
        found.append((float(loss.detach()), _gradients(network)))
    return found


def _same(found: list[tuple[float, list[Tensor]]]) -> bool:
    (one, gradients), (other, others) = found
    assert all(bool(gradient.abs().max() > 0) for gradient in gradients)
    return one == other and all(torch.equal(mine, theirs) for mine, theirs in zip(gradients, others, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", ["sd1", "sdxl"])
def test_gradients_are_bit_for_bit_those_of_kept_activations(
    checkpoints: dict[str, Path], kind: str, dtype: torch.dtype
) -> None:
    assert _same(_both(checkpoints[kind], dtype))


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_kind_of_network_with_every_dropout_gets_the_same_gradients(
    checkpoints: dict[str, Path], kind: str
) -> None:
    dropout = Dropout(0.0 if kind in ("dora", "loha", "lokr") else 0.2, 0.2, 0.1)
    assert _same(_both(checkpoints["sd1"], kind=kind, dropout=dropout))


def test_two_hands_at_once_get_the_same_gradients(checkpoints: dict[str, Path]) -> None:
    base = load_base_model(checkpoints["sd1"], device=CPU, dtype=torch.float32)
    network = _network(base, hands=2, dropout=Dropout(0.2, 0.2, 0.1))
    pool = lone_threads(2, "test")

    def work(hand: int) -> float:
        network.take_hand(hand)
        loss = _loss(base, batch=1, seed=hand)
        loss.backward()
        return float(loss.detach())

    found = []
    for on in (False, True):
        _recompute(base, on)
        losses = sum(pool.map(work, range(2)))
        network.gather()
        found.append((losses, _gradients(network)))
    pool.shutdown()
    assert _same(found)


@pytest.mark.parametrize("kind", ["sd1", "sdxl"])
def test_far_fewer_bytes_are_kept_for_the_backward_pass(checkpoints: dict[str, Path], kind: str) -> None:
    base = load_base_model(checkpoints[kind], device=CPU, dtype=torch.float32)
    _network(base)
    kept = []
    for on in (False, True):
        _recompute(base, on)
        kept.append(saved_bytes(base, lambda: _loss(base)))
    assert kept[1] < 0.25 * kept[0]
