import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from bench.random_lora import random_lora
from drawing_base import plain_targets, tiny_base
from trainer.failure import Failure
from trainer.grid.draw_grid import draw_epoch, run_grid
from trainer.network.lora_file import lora_tensors
from trainer.network.lora_weights import LoraWeights
from trainer.settings import GridSettings

SETTINGS = GridSettings(
    enabled=True,
    weights=(0.5, 1.0),
    prompts=("a red circle, blue hat", "зелёный квадрат"),
    negative_prompt="blurry",
    seeds=(1, 2),
    sampler="ddim",
    steps=2,
    cfg_scale=4.0,
)


def _lora(seed: int = 1) -> LoraWeights:
    return random_lora(plain_targets(tiny_base()), rank=4, alpha=2, seed=seed, size=0.2)


def _draw(
    out_dir: Path,
    epoch: int,
    settings: GridSettings = SETTINGS,
    **changes: Any,  # noqa: ANN401
) -> list[Mapping[str, Any]]:
    events: list[Mapping[str, Any]] = []
    draw_epoch(
        tiny_base(),
        _lora(epoch) if epoch else None,
        epoch,
        settings=settings,
        prompts=settings.prompts,
        width=64,
        height=48,
        clip_skip=2,
        out_dir=out_dir,
        emit=events.append,
        **{"lora_name": f"zorp-00000{epoch}", "lora_hash": "ab" * 32, "model_hash": "cd" * 32, **changes},
    )
    return events


def _stamps(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mtime_ns for file in (folder / "cells").iterdir()}


def test_the_base_models_column_is_drawn_once_for_all_epochs(tmp_path: Path) -> None:
    events = _draw(tmp_path, 0)
    assert [event["type"] for event in events] == ["cell"] * 4
    assert {(event["epoch"], event["weight"]) for event in events} == {(0, 0.0)}
    assert sorted(_stamps(tmp_path)) == [
        "e0-w0-p0-s1.png",
        "e0-w0-p0-s2.png",
        "e0-w0-p1-s1.png",
        "e0-w0-p1-s2.png",
    ]


def test_an_epoch_has_a_cell_for_each_weight_prompt_and_seed_and_then_a_sheet(tmp_path: Path) -> None:
    _draw(tmp_path, 0)
    events = _draw(tmp_path, 1)
    assert [event["type"] for event in events] == ["cell"] * 8 + ["sheet"]
    assert events[-1] == {"type": "sheet", "epoch": 1, "file": "sheet.png"}
    for event in events[:-1]:
        with Image.open(tmp_path / event["file"]) as picture:
            assert picture.size == (64, 48)
    assert {event["file"] for event in events[:2]} <= {f"cells/{name}" for name in _stamps(tmp_path)}
    assert not list(tmp_path.rglob("*.part"))


def test_cells_carry_the_infotext_that_the_webui_reads(tmp_path: Path) -> None:
    _draw(tmp_path, 1)
    with Image.open(tmp_path / "cells" / "e1-w0.5-p0-s2.png") as picture:
        assert picture.info["parameters"].split("\n") == [
            "a red circle, blue hat <lora:zorp-000001:0.5>",
            "Negative prompt: blurry",
            "Steps: 2, Sampler: DDIM, Schedule type: Automatic, CFG scale: 4, Seed: 2, Size: 64x48, "
            "Model hash: cdcdcdcdcd, Model: tiny, Clip skip: 2, RNG: CPU, Lora hashes: "
            '"zorp-000001: abababababab"',
        ]
    with Image.open(tmp_path / "cells" / "e1-w1-p1-s1.png") as picture:
        assert picture.info["parameters"].startswith("зелёный квадрат <lora:zorp-000001:1>\n")


def test_a_second_drawing_keeps_what_is_there_and_draws_what_is_missing_or_broken(tmp_path: Path) -> None:
    first = _draw(tmp_path, 1)
    before = _stamps(tmp_path)
    (tmp_path / "cells" / "e1-w0.5-p0-s1.png").unlink()
    broken = tmp_path / "cells" / "e1-w1-p0-s1.png"
    broken.write_bytes(broken.read_bytes()[:-200])
    again = _draw(tmp_path, 1)
    after = _stamps(tmp_path)
    assert sorted(event["file"] for event in again) == sorted(event["file"] for event in first)
    assert {name for name in after if after[name] != before[name]} == {"e1-w0.5-p0-s1.png", "e1-w1-p0-s1.png"}
    with Image.open(broken) as picture:
        picture.load()


def test_a_grid_grows_by_the_weights_that_are_new(tmp_path: Path) -> None:
    _draw(tmp_path, 1)
    before = _stamps(tmp_path)
    wider = GridSettings(**{**SETTINGS.__dict__, "weights": (0.5, 1.0, -0.3)})
    _draw(tmp_path, 1, wider)
    after = _stamps(tmp_path)
    assert all(after[name] == before[name] for name in before)
    assert set(after) - set(before) == {f"e1-w-0.3-p{prompt}-s{seed}.png" for prompt in (0, 1) for seed in (1, 2)}


def test_another_lora_under_the_same_name_is_drawn_anew(tmp_path: Path) -> None:
    _draw(tmp_path, 1)
    before = _stamps(tmp_path)
    _draw(tmp_path, 1, lora_hash="ef" * 32)
    after = _stamps(tmp_path)
    assert all(after[name] != before[name] for name in before)


def test_an_interruption_between_cells_passes_through_and_leaves_whole_files(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def emit(event: Mapping[str, Any]) -> None:
        raise Stop

    with pytest.raises(Stop):
        draw_epoch(
            tiny_base(),
            _lora(),
            1,
            settings=SETTINGS,
            prompts=SETTINGS.prompts,
            width=64,
            height=48,
            clip_skip=1,
            out_dir=tmp_path,
            emit=emit,
            max_batch=2,
        )
    for file in (tmp_path / "cells").iterdir():
        with Image.open(file) as picture:
            picture.load()
    assert not any("forward" in vars(module) for module in plain_targets(tiny_base()).values())


def _request(folder: Path, **changes: Any) -> Path:  # noqa: ANN401
    loras = []
    for epoch in (1, 2):
        file = folder / f"zorp-00000{epoch}.safetensors"
        save_file(lora_tensors(_lora(epoch), "float"), file, {"sshs_model_hash": f"{epoch}" * 64})
        loras.append({"file": str(file), "label": f"zorp {epoch}", "epoch": epoch})
    request = {
        "baseModelPath": str(tiny_base().path),
        "loras": loras,
        "settings": {
            "enabled": True,
            "weights": [0, 0.5],
            "prompts": ["a red circle"],
            "negativePrompt": "",
            "seeds": [3],
            "sampler": "euler",
            "steps": 2,
            "cfgScale": 1,
        },
        "width": 64,
        "height": 64,
        "clipSkip": 1,
        "precision": "no",
        "outDir": str(folder / "grid"),
        "maxBatch": None,
        **changes,
    }
    path = folder / "request.json"
    path.write_text(json.dumps(request))
    return path


def test_a_request_draws_all_loras_and_says_when_it_is_finished(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAIN_LORA_DEVICE", "cpu")
    run_grid(_request(tmp_path))
    events = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    cells = [(event["epoch"], event["weight"]) for event in events if event["type"] == "cell"]
    assert cells == [(0, 0), (1, 0.5), (2, 0.5)]
    stages = [(event["stage"], event["done"], event["total"]) for event in events if event["type"] == "stage"]
    assert stages[-3:] == [("drawingGrid", 0, 2), ("drawingGrid", 1, 2), ("drawingGrid", 2, 2)]
    assert [event["type"] for event in events[-2:]] == ["sheet", "finished"]
    assert events[-1]["gridSeconds"] > 0 and events[-1]["trainSeconds"] == 0
    with Image.open(tmp_path / "grid" / "cells" / "e2-w0.5-p0-s3.png") as picture:
        assert 'Lora hashes: "zorp-000002: 222222222222"' in picture.info["parameters"]
    with Image.open(tmp_path / "grid" / "sheet.png") as sheet:
        assert 'Grid epochs: "1, 2"' in sheet.info["parameters"]


def test_a_lora_of_another_base_model_is_said_as_a_warning(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAIN_LORA_DEVICE", "cpu")
    path = _request(tmp_path)
    stranger = {
        "lora_unet_elsewhere.lora_down.weight": torch.ones(2, 3),
        "lora_unet_elsewhere.lora_up.weight": torch.ones(3, 2),
    }
    save_file(stranger, tmp_path / "zorp-000002.safetensors")
    run_grid(path)
    events = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    messages = [event["message"] for event in events if event["type"] == "warning"]
    assert len(messages) == 1 and "zorp-000002" in messages[0] and "changes nothing" in messages[0]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"loras": []}, "bad_request"),
        ({"width": 60}, "bad_request"),
        ({"settings": None}, "bad_request"),
        ({"baseModelPath": "/nowhere/base.safetensors"}, "base_model_missing"),
        ({"loras": [{"file": "/nowhere/x.safetensors", "label": "x", "epoch": 1}]}, "lora_corrupt"),
    ],
)
def test_a_request_that_cannot_be_drawn_fails_with_its_code(tmp_path: Path, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Failure) as caught:
        run_grid(_request(tmp_path, **changes))
    assert caught.value.code == code
