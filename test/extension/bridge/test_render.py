"""Cells drawn by the WebUI's own txt2img."""
# ruff: noqa: ANN401

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from drawing_request import cell, infotext, render, told
from modules import devices, processing, progress, scripts, sd_models, shared
from node_side import NodeSide, Refused, queue_is_free
from PIL import Image
from train_lora_webui.bridge.host_connection import HostConnection


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


def test_an_exception_is_a_refusal_and_drawn_cells_stay(node: NodeSide, host: HostConnection, tmp_path: Path) -> None:
    def before_step(p: Any, step: int) -> None:
        if "korri-000002" in p.prompt:
            raise RuntimeError("mat1 and mat2 must have the same dtype")

    processing.trouble.before_step = before_step
    with pytest.raises(Refused, match="mat1 and mat2"):
        node.request("renderCells", **render(tmp_path, [cell(1), cell(2)]))
    assert len(told(node)) == 1
    assert queue_is_free() and shared.state.job == ""


def test_a_checkpoint_that_the_webui_can_not_load_is_a_sentence_that_names_it(
    node: NodeSide, host: HostConnection, tmp_path: Path
) -> None:
    def before_step(p: Any, step: int) -> None:
        sd_models.model_data.sd_model = None
        raise ValueError("Failed to recognize model type!")

    processing.trouble.before_step = before_step
    with pytest.raises(Refused, match=r"could not load pocket\.safetensors .*Choose another checkpoint") as refused:
        node.request("renderCells", **render(tmp_path, [cell()]))
    assert refused.value.failure["details"] == "ValueError: Failed to recognize model type!"
    assert queue_is_free() and told(node) == []


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
    monkeypatch.setitem(shared.opts.data, "sd_model_checkpoint", "pocket.safetensors")
    present = sd_models.model_data.sd_model.sd_checkpoint_info.title
    assert node.request("renderCells", **render(tmp_path, [cell()], clipSkip=1, checkpoint=present)) == {"drawn": 1}
    with pytest.raises(Refused, match="frozen"):
        node.request("renderCells", **render(tmp_path, [cell()], clipSkip=1, checkpoint="other.safetensors"))


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
