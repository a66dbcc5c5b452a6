"""A model whose activations are made again: the same gradients from less memory."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from one_step import NETWORKS, gradients_of, loss_of, make_network
from saved_bytes import saved_bytes
from tiny_checkpoint import write_tiny_checkpoint
from trainer.model.base_model import BaseModel, load_base_model
from trainer.network.dropout import Dropout
from trainer.side_by_side import lone_threads

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("kinds")
    return {kind: write_tiny_checkpoint(folder / kind, kind=kind) for kind in ("sd1", "sdxl")}


def _recompute(base: BaseModel, on: bool) -> None:
    for module in (base.unet, *base.text_encoders):
        module.recomputes = on


def _both(checkpoint: Path, dtype: torch.dtype = torch.float32, **options: Any) -> list[tuple[float, list[Tensor]]]:  # noqa: ANN401
    """Loss and gradients, with all activations kept and with few."""
    base = load_base_model(checkpoint, device=CPU, dtype=dtype)
    network = make_network(base, **options)
    found = []
    for on in (False, True):
        _recompute(base, on)
        network.begin(5)
        loss = loss_of(base)
        loss.backward()
        found.append((float(loss.detach()), gradients_of(network)))
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
def test_every_kind_of_network_with_every_dropout_gets_the_samegradients_of(
    checkpoints: dict[str, Path], kind: str
) -> None:
    dropout = Dropout(0.0 if kind in ("dora", "loha", "lokr") else 0.2, 0.2, 0.1)
    assert _same(_both(checkpoints["sd1"], kind=kind, dropout=dropout))


def test_two_hands_at_once_get_the_samegradients_of(checkpoints: dict[str, Path]) -> None:
    base = load_base_model(checkpoints["sd1"], device=CPU, dtype=torch.float32)
    network = make_network(base, hands=2, dropout=Dropout(0.2, 0.2, 0.1))
    pool = lone_threads(2, "test")

    def work(hand: int) -> float:
        network.take_hand(hand)
        loss = loss_of(base, batch=1, seed=hand)
        loss.backward()
        return float(loss.detach())

    found = []
    for on in (False, True):
        _recompute(base, on)
        losses = sum(pool.map(work, range(2)))
        network.gather()
        found.append((losses, gradients_of(network)))
    pool.shutdown()
    assert _same(found)


def test_another_thread_does_the_work_again_as_the_hand_that_did_it_first(checkpoints: dict[str, Path]) -> None:
    base = load_base_model(checkpoints["sd1"], device=CPU, dtype=torch.float32)
    network = make_network(base, hands=2, dropout=Dropout(0.2, 0.2, 0.1))

    def forward() -> Tensor:
        network.take_hand(1)
        return loss_of(base)

    found = []
    for on in (False, True):
        _recompute(base, on)
        with lone_threads(1, "test") as pool:
            loss = pool.submit(forward).result()
        # On a GPU it is autograd's own thread that goes backwards.
        loss.backward()
        network.gather()
        found.append((float(loss.detach()), gradients_of(network)))
    assert _same(found)


@pytest.mark.parametrize("kind", ["sd1", "sdxl"])
def test_far_fewer_bytes_are_kept_for_the_backward_pass(checkpoints: dict[str, Path], kind: str) -> None:
    base = load_base_model(checkpoints[kind], device=CPU, dtype=torch.float32)
    make_network(base)
    kept = []
    for on in (False, True):
        _recompute(base, on)
        kept.append(saved_bytes(base, lambda: loss_of(base)))
    assert kept[1] < 0.25 * kept[0]
