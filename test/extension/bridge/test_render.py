"""Cells drawn by the WebUI's own txt2img in its queue."""
# ruff: noqa: ANN401

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from modules import call_queue, devices, processing, progress, scripts, sd_models, shared
from node_side import NodeSide, Refused, queue_is_free, until
from PIL import Image
from train_lora_webui.bridge.host_connection import HostConnection

SETTINGS = {
    "prompts": ["korri, on a hill", "korri, at night"],
    "negativePrompt": "blurry",
    "sampler": "Euler a",
    "scheduler": "Karras",
    "steps": 4,
    "cfgScale": 6.5,
    "width": 64,
    "height": 72,
    "clipSkip": 2,
    "checkpoint": None,
}


def cell(
    epoch: int = 1, weight: float = 0.8, seed: int = 7, prompt: int = 0, file: str | None = None
) -> dict[str, Any]:
    lora = None if epoch == 0 else f"korri-{epoch:06}"
    return {
        "epoch": epoch,
        "lora": lora,
        "weight": weight,
        "prompt": prompt,
        "seed": seed,
        "file": file or f"cells/e{epoch}-w{weight}-p{prompt}-s{seed}.png",
    }


def render(tmp_path: Path, cells: list[dict[str, Any]], **settings: Any) -> dict[str, Any]:
    return {"settings": {**SETTINGS, **settings}, "cells": cells, "outDir": str(tmp_path / "out"), "title": "korri"}


def infotext(file: str) -> str:
    with Image.open(file) as image:
        return image.text["parameters"]


def told(node: NodeSide) -> list[str]:
    return [message["file"] for message in node.messages if message["type"] == "cellDrawn"]


def plain_txt2img(prompt: str, **changes: Any) -> processing.Processed:
    """What the WebUI itself draws, the way its API does."""
    state = shared.state
    state.begin(job="plain")
    p = processing.StableDiffusionProcessingTxt2Img(
        prompt=prompt, negative_prompt="blurry", seed=7, steps=4, sampler_name="Euler a", scheduler="Karras",
        cfg_scale=6.5, width=64, height=72, override_settings={"CLIP_stop_at_last_layers": 2}, **changes,
    )  # fmt: skip
    drawn = processing.process_images(p)
    state.end()
    return drawn


def test_a_cell_is_the_picture_that_txt2img_draws_with_its_true_infotext(
    node: NodeSide, host: HostConnection, tmp_path: Path
) -> None:
    assert node.request("renderCells", **render(tmp_path, [cell(0), cell(2, 0.8)])) == {"drawn": 2}
    out = tmp_path / "out" / "cells"
    for file, prompt in (
        ("e0-w0.8-p0-s7.png", "korri, on a hill"),
        ("e2-w0.8-p0-s7.png", "korri, on a hill <lora:korri-000002:0.8>"),
    ):
        plain = plain_txt2img(prompt)
        with Image.open(out / file) as image:
            assert image.tobytes() == plain.images[0].tobytes()
        assert infotext(out / file) == plain.infotexts[0]
    first = node.wait_for("cellDrawn")
    assert first["infotext"] == infotext(out / "e0-w0.8-p0-s7.png")
    assert "Clip skip: 2" in first["infotext"]


def test_weight_0_is_drawn_as_given_and_the_second_prompt_is_the_second(
    node: NodeSide, host: HostConnection, tmp_path: Path
) -> None:
    node.request("renderCells", **render(tmp_path, [cell(1, 0, prompt=1)]))
    assert node.wait_for("cellDrawn")["infotext"].startswith("korri, at night <lora:korri-000001:0>\n")


def test_the_users_settings_are_as_before_and_nothing_else_is_written(
    node: NodeSide, host: HostConnection, tmp_path: Path, webui: Path
) -> None:
    (webui / "params.txt").write_text("a cat\nSteps: 20, Sampler: Euler, Schedule type: Exponential, Seed: 1", "utf8")
    node.request("renderCells", **render(tmp_path, [cell()]))
    assert shared.opts.CLIP_stop_at_last_layers == 1
    assert (webui / "params.txt").read_text("utf8").startswith("a cat")
    assert not list((webui / "samples").iterdir()) and not list((webui / "grids").iterdir())
    assert sorted(file.name for file in (tmp_path / "out").rglob("*") if file.is_file()) == ["e1-w0.8-p0-s7.png"]
    assert shared.state.job == "" and progress.current_task is None


def test_always_on_scripts_get_their_start_values_and_the_webuis_own_controls_set_nothing(
    node: NodeSide, host: HostConnection, tmp_path: Path
) -> None:
    scripts.BorderScript.seen.clear()
    node.request("renderCells", **render(tmp_path, [cell(seed=99)]))
    assert scripts.BorderScript.seen == [(False, 1)]
    assert "Seed: 99" in node.wait_for("cellDrawn")["infotext"]


def test_what_is_null_is_what_the_user_drew_with_last(
    node: NodeSide, host: HostConnection, tmp_path: Path, webui: Path
) -> None:
    (webui / "params.txt").write_text("a cat\nSteps: 20, Sampler: Euler, Schedule type: Exponential, Seed: 1", "utf8")
    node.request("renderCells", **render(tmp_path, [cell()], sampler=None, scheduler=None))
    assert "Sampler: Euler, Schedule type: Exponential" in node.wait_for("cellDrawn")["infotext"]


def test_without_a_last_picture_null_is_the_first_sampler(node: NodeSide, host: HostConnection, tmp_path: Path) -> None:
    node.request("renderCells", **render(tmp_path, [cell()], sampler=None, scheduler=None))
    assert "Sampler: DPM++ 2M, Schedule type: Automatic" in node.wait_for("cellDrawn")["infotext"]


def test_another_checkpoint_is_used_for_the_cells_and_the_users_is_back_afterwards(
    node: NodeSide, host: HostConnection, tmp_path: Path
) -> None:
    node.request("renderCells", **render(tmp_path, [cell(), cell(2)], checkpoint="other.safetensors"))
    assert "Model: other" in node.wait_for("cellDrawn")["infotext"]
    assert sd_models.model_data.sd_model.sd_checkpoint_info.name == "pocket.safetensors"
    assert shared.opts.sd_model_checkpoint == "pocket.safetensors [0123456789]"


def test_the_users_own_picture_comes_between_two_cells(node: NodeSide, host: HostConnection, tmp_path: Path) -> None:
    order = []

    def users_own() -> None:
        with call_queue.queue_lock:
            order.append("user")

    def before_step(p: Any, step: int) -> None:
        if step == 0 and "korri" in p.prompt:
            order.append("cell")
        if order == ["cell"] and step == 1:
            threading.Thread(target=users_own, daemon=True).start()
            until(lambda: len(call_queue.queue_lock._pending_threads) > 0)

    processing.trouble.before_step = before_step
    assert node.request("renderCells", **render(tmp_path, [cell(1), cell(2), cell(3)])) == {"drawn": 3}
    assert order == ["cell", "user", "cell", "cell"]


def test_the_webui_shows_the_drawing_as_a_task_of_its_own(node: NodeSide, host: HostConnection, tmp_path: Path) -> None:
    seen = []
    processing.trouble.before_step = lambda p, step: seen.append(
        (progress.current_task, shared.state.job, shared.state.job_count, shared.state.textinfo)
    )
    node.request("renderCells", **render(tmp_path, [cell(1), cell(2)]))
    assert seen[0][0].startswith("task(train-lora-grid") and seen[0][1:3] == ("train_lora_grid", 2)
    assert seen[-1][3] == "korri: 2 / 2"
    assert not progress.pending_tasks


def test_cancelling_interrupts_our_picture_and_keeps_what_is_drawn(
    node: NodeSide, host: HostConnection, tmp_path: Path
) -> None:
    drawing = threading.Event()
    processing.trouble.step_seconds = 0.05
    processing.trouble.before_step = lambda p, step: drawing.set() if told(node) else None
    asked = node.send("renderCells", **render(tmp_path, [cell(1), cell(2), cell(3)], steps=20))
    assert drawing.wait(10)
    node.request("cancel", request=asked)
    assert node.result(asked) == {"drawn": 1}
    assert len(told(node)) == 1 and len(list((tmp_path / "out" / "cells").iterdir())) == 1
    assert not shared.state.interrupted and queue_is_free()


def test_cancelling_while_it_waits_never_interrupts_the_users_own_picture(
    node: NodeSide, host: HostConnection, tmp_path: Path
) -> None:
    with call_queue.queue_lock:
        shared.state.begin(job="the user's own")
        asked = node.send("renderCells", **render(tmp_path, [cell()]))
        until(lambda: len(progress.pending_tasks) == 1)
        node.request("cancel", request=asked)
        assert node.result(asked) == {"drawn": 0}
        assert not shared.state.interrupted and shared.state.job == "the user's own"
    until(queue_is_free)


def test_a_lost_socket_stops_our_rendering(node: NodeSide, host: HostConnection, tmp_path: Path) -> None:
    processing.trouble.step_seconds = 0.05
    node.send("renderCells", **render(tmp_path, [cell(n) for n in range(1, 9)], steps=20))
    until(lambda: shared.state.job == "train_lora_grid")
    node.kill()
    until(lambda: shared.state.job == "" and queue_is_free(), 5)
    assert len(list((tmp_path / "out").rglob("*.png"))) < 8


@pytest.mark.parametrize("sign", ["interrupted", "skipped", "stopping_generation"])
def test_the_users_interrupt_ends_the_drawing_with_a_sentence_and_writes_no_half_picture(
    node: NodeSide, host: HostConnection, tmp_path: Path, sign: str
) -> None:
    def before_step(p: Any, step: int) -> None:
        if step == 2 and "korri-000002" in p.prompt:
            setattr(shared.state, sign, True)

    processing.trouble.before_step = before_step
    with pytest.raises(Refused, match="interrupted in the WebUI") as refused:
        node.request("renderCells", **render(tmp_path, [cell(1), cell(2), cell(3)]))
    assert refused.value.failure["code"] == "webui_failed"
    # "Stop after this picture" lets the present one be finished.
    assert len(told(node)) == (2 if sign == "stopping_generation" else 1)
    assert queue_is_free()


def test_an_exception_is_a_refusal_and_drawn_cells_stay(node: NodeSide, host: HostConnection, tmp_path: Path) -> None:
    def before_step(p: Any, step: int) -> None:
        if "korri-000002" in p.prompt:
            raise RuntimeError("mat1 and mat2 must have the same dtype")

    processing.trouble.before_step = before_step
    with pytest.raises(Refused, match="mat1 and mat2"):
        node.request("renderCells", **render(tmp_path, [cell(1), cell(2)]))
    assert len(told(node)) == 1
    assert queue_is_free() and shared.state.job == ""


def test_a_picture_that_the_webui_calls_nan_is_a_black_cell_and_the_drawing_goes_on(
    node: NodeSide, host: HostConnection, tmp_path: Path
) -> None:
    def before_step(p: Any, step: int) -> None:
        if "korri-000001" in p.prompt:
            raise devices.NansException("A tensor with all NaNs was produced in Unet.")

    processing.trouble.before_step = before_step
    assert node.request("renderCells", **render(tmp_path, [cell(1), cell(2)])) == {"drawn": 2}
    with Image.open(tmp_path / "out" / told(node)[0]) as image:
        assert image.size == (64, 72) and image.getextrema() == ((0, 0),) * 3
    assert "<lora:korri-000001:0.8>" in infotext(tmp_path / "out" / told(node)[0])


def test_frozen_settings_are_a_sentence_and_only_where_they_are_in_the_way(
    node: NodeSide, host: HostConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.cmd_opts, "freeze_settings", True)
    with pytest.raises(Refused, match="frozen"):
        node.request("renderCells", **render(tmp_path, [cell()]))
    assert node.request("renderCells", **render(tmp_path, [cell()], clipSkip=1)) == {"drawn": 1}


@pytest.mark.parametrize("file", ["../escape.png", "/etc/escape.png", "a\\..\\b.png", "C:/x.png"])
def test_a_cell_is_never_written_outside_of_its_folder(
    node: NodeSide, host: HostConnection, tmp_path: Path, file: str
) -> None:
    with pytest.raises(Refused) as refused:
        node.request("renderCells", **render(tmp_path, [cell(file=file)]))
    assert refused.value.failure["code"] == "bad_request"
    assert not list(tmp_path.rglob("escape*"))


@pytest.mark.parametrize(
    "settings", [{"sampler": "Leapfrog"}, {"scheduler": "Leap"}, {"checkpoint": "gone.safetensors"}]
)
def test_names_that_the_webui_does_not_know_are_told_before_anything_is_drawn(
    node: NodeSide, host: HostConnection, tmp_path: Path, settings: dict[str, Any]
) -> None:
    with pytest.raises(Refused) as refused:
        node.request("renderCells", **render(tmp_path, [cell()], **settings))
    assert refused.value.failure["code"] == "bad_request"
    assert shared.state.begun == 0


def test_waits_while_training_holds_the_gpu_and_is_drawn_when_it_is_lent(
    node: NodeSide, host: HostConnection, tmp_path: Path
) -> None:
    lease = node.request("leaseGpu", job="j", jobName="run")
    asked = node.send("renderCells", **render(tmp_path, [cell()]))
    until(lambda: len(progress.pending_tasks) == 1)
    node.request("releaseGpu", lease=lease["lease"])
    again = node.send("leaseGpu", job="j", jobName="run")
    assert node.result(asked) == {"drawn": 1}
    node.request("releaseGpu", lease=node.result(again)["lease"])
    # What waits for us is no task of the user's.
    assert not [message for message in node.messages if message["type"] == "waiting"]


def test_settings_that_a_script_would_set_are_told_even_where_they_are_the_users(
    node: NodeSide, host: HostConnection, tmp_path: Path
) -> None:
    told_settings: list[dict[str, Any]] = []
    processing.trouble.before_step = lambda p, step: told_settings.append(dict(p.override_settings))
    node.request("renderCells", **render(tmp_path, [cell()], clipSkip=1))
    assert told_settings[0] == {"CLIP_stop_at_last_layers": 1}


def test_before_1_9_the_schedule_is_a_part_of_the_samplers_name(
    node: NodeSide, host: HostConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    from modules import sd_samplers, sd_schedulers

    monkeypatch.setattr(sd_schedulers, "schedulers", [])
    monkeypatch.setattr(
        sd_samplers, "all_samplers", [SimpleNamespace(name="DPM++ 2M Karras"), SimpleNamespace(name="Euler a")]
    )
    node.request("renderCells", **render(tmp_path, [cell()], sampler="DPM++ 2M", scheduler="Karras"))
    assert "Sampler: DPM++ 2M Karras," in node.wait_for("cellDrawn")["infotext"]


def test_saves_a_sheet_where_the_webui_keeps_its_grids_with_its_infotext(
    node: NodeSide, host: HostConnection, tmp_path: Path, webui: Path
) -> None:
    sheet = tmp_path / "sheet.png"
    Image.new("RGB", (200, 100), (1, 2, 3)).save(sheet)
    text = "korri, on a hill\nNegative prompt: blurry\nSteps: 4, Sampler: Euler a, Seed: 7, Size: 64x72"
    saved = Path(node.request("saveGrid", sheet=str(sheet), infotext=text, title="korri")["file"])
    assert saved.parent == webui / "grids" and saved.name.startswith("train_lora_grid")
    assert infotext(saved) == text


def test_saves_no_grid_when_the_user_saves_none(
    node: NodeSide, host: HostConnection, tmp_path: Path, webui: Path
) -> None:
    sheet = tmp_path / "sheet.png"
    Image.new("RGB", (200, 100)).save(sheet)
    shared.opts.data["grid_save"] = False
    assert node.request("saveGrid", sheet=str(sheet), infotext="a", title="korri") == {"file": str(sheet)}
    assert not list((webui / "grids").iterdir())


def test_a_missing_or_too_large_sheet_is_a_sentence(node: NodeSide, host: HostConnection, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="not there any more"):
        node.request("saveGrid", sheet=str(tmp_path / "gone.png"), infotext="a", title="korri")
    sheet = tmp_path / "sheet.png"
    Image.new("RGB", (2000, 1000)).save(sheet)
    shared.opts.data["img_max_size_mp"] = 1
    with pytest.raises(Refused, match="megapixels"):
        node.request("saveGrid", sheet=str(sheet), infotext="a", title="korri")
