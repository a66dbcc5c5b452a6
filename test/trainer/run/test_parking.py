"""Memory that is given away and taken back."""

import json
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from run_folder import GRID, Trainer, train, write_run
from test_train import _equal_loras, _of
from trainer.failure import Failure
from trainer.run import parking
from trainer.run.parking import move_to_ram, parked


def _steps(model: nn.Module, optimizer: torch.optim.Optimizer, count: int) -> None:
    x = torch.linspace(-1, 1, 12).view(3, 4)
    for _ in range(count):
        optimizer.zero_grad(set_to_none=False)
        model(x).square().mean().backward()
        optimizer.step()


def _model() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    return model, torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)


def test_what_was_moved_to_ram_and_back_trains_on_with_the_same_bits() -> None:
    whole, whole_optimizer = _model()
    _steps(whole, whole_optimizer, 6)
    model, optimizer = _model()
    _steps(model, optimizer, 3)
    tensors = [*model.parameters(), *(parameter.grad for parameter in model.parameters() if parameter.grad is not None)]
    moments = [value for state in optimizer.state.values() for value in state.values()]
    bring_back = move_to_ram([*tensors, *moments])
    assert all(tensor.untyped_storage().nbytes() == 0 for tensor in [*tensors, *moments])
    bring_back()
    _steps(model, optimizer, 3)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), model.parameters(), strict=True))


def test_views_still_share_their_memory_after_it_came_back() -> None:
    flat = torch.arange(12.0)
    view = flat[4:8].view(2, 2)
    bring_back = move_to_ram([view, flat, flat[:2], torch.empty(0)])
    bring_back()
    flat[5] = 100
    assert view.tolist() == [[4, 100], [6, 7]]


def test_no_room_on_the_device_after_parking_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    # A device with memory of its own is not there on every machine; only its being full is put in its place.
    monkeypatch.setattr(parking, "move_to_ram", lambda _: full)
    monkeypatch.setattr(parking, "_give_back", lambda _: None)
    with pytest.raises(Failure) as caught, parked(torch.device("cuda")):
        pass
    assert caught.value.code == "out_of_memory" and "resume the run" in str(caught.value)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_parking_gives_the_memory_of_a_cuda_device_back() -> None:
    device = torch.device("cuda")
    tensor = torch.arange(1 << 24, device=device, dtype=torch.float32)
    before = torch.cuda.memory_reserved()
    with parked(device):
        assert torch.cuda.memory_reserved() <= before - tensor.nbytes
    assert torch.equal(tensor.cpu(), torch.arange(1 << 24, dtype=torch.float32))


def test_a_run_that_was_parked_twice_equals_one_that_was_not(tmp_path: Path, tiny_checkpoint: Path) -> None:
    grid = {**GRID, "enabled": True}
    whole = write_run(tmp_path / "whole", tiny_checkpoint, grid=grid)
    train(whole)
    run = write_run(tmp_path / "parked", tiny_checkpoint, grid=grid)
    trainer = Trainer("train", str(run))
    trainer.until("step", step=2)
    trainer.say('{"type": "park"}')
    seen = trainer.until("parked")
    assert seen[-2]["type"] == "stateSaved"
    time.sleep(0.3)
    trainer.say('{"type": "unpark"}')
    assert [event["type"] for event in trainer.until("unparked")] == ["unparked"]
    trainer.until("cell", epoch=1)
    trainer.say('{"type": "park"}')
    trainer.until("parked", step=6)
    time.sleep(0.6)
    trainer.say('{"type": "unpark"}')
    rest, code = trainer.end()
    assert (rest[-1]["type"], code) == ("finished", 0)
    assert _equal_loras(whole, run, 2)
    cells = sorted(path.name for path in (whole / "grid" / "cells").iterdir())
    assert all((run / "grid" / "cells" / n).read_bytes() == (whole / "grid" / "cells" / n).read_bytes() for n in cells)


def test_the_time_of_standing_still_is_no_time_of_training(tmp_path: Path, tiny_checkpoint: Path) -> None:
    run = write_run(tmp_path / "run", tiny_checkpoint, epochs=1)
    trainer = Trainer("train", str(run))
    trainer.until("step", step=2)
    trainer.say('{"type": "park"}')
    trainer.until("parked")
    time.sleep(5)
    trainer.say('{"type": "unpark"}')
    rest, _ = trainer.end()
    assert max(event["secondsPerStep"] for event in _of(rest, "step")) < 2
    assert rest[-1]["computeSeconds"] <= rest[-1]["trainSeconds"]


@pytest.mark.parametrize(("command", "end"), [("pause", "paused"), ("stop", "stopped"), (None, "paused")])
def test_pause_stop_and_a_closed_stdin_still_count_while_it_is_parked(
    tmp_path: Path, tiny_checkpoint: Path, command: str | None, end: str
) -> None:
    run = write_run(tmp_path / "run", tiny_checkpoint, epochs=1)
    trainer = Trainer("train", str(run))
    trainer.until("step", step=2)
    trainer.say('{"type": "park"}')
    step = trainer.until("parked")[-1]["step"]
    if command:
        trainer.say(json.dumps({"type": command}))
    else:
        trainer.close_stdin()
    rest, code = trainer.end()
    assert ([event["type"] for event in rest], rest[-1]["step"], code) == ([end], step, 0)
    assert train(run)[0]["step"] == step
