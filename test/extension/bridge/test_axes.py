"""Our two axes in the X/Y/Z plot."""
# ruff: noqa: ANN401

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from modules import shared
from node_side import NodeSide
from train_lora_webui.bridge import axes
from train_lora_webui.bridge.axes import EPOCH_AXIS, WEIGHT_AXIS, register_axes
from train_lora_webui.bridge.host_connection import HostConnection
from train_lora_webui.bridge.runs import epoch_names, set_runs
from xyz_plot import WEBUI_DIR, load_xyz_plot, plot_prompts, values_of

RUNS = [
    {
        "job": "1",
        "name": "old",
        "triggerWord": "old",
        "saves": [{"name": "old", "epoch": 2}, {"name": "old-000001", "epoch": 1}],
    },
    {
        "job": "2",
        "name": "korri",
        "triggerWord": "korri",
        "saves": [
            {"name": "korri-000001", "epoch": 1},
            {"name": "korri-000002", "epoch": 2},
            {"name": "korri", "epoch": 3},
        ],
    },
]


@pytest.fixture(params=["stand-in", "the WebUI's own"])
def plot(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    real = request.param != "stand-in"
    if real and not WEBUI_DIR:
        pytest.skip("SD_WEBUI_DIR names no checkout of a WebUI")
    module = load_xyz_plot(monkeypatch, real)
    assert register_axes()
    return module


def option(plot: ModuleType, label: str) -> Any:
    return next(option for option in plot.axis_options if option.label == label)


def picture(prompt: str, **more: Any) -> SimpleNamespace:
    return SimpleNamespace(prompt=prompt, **more)


def touch(webui: Path, *names: str) -> None:
    for name in names:
        file = webui / "models" / "Lora" / f"{name}.safetensors"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")


def test_are_added_once_and_again_after_reload_ui(plot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = [o.label for o in plot.axis_options]
    assert register_axes() and [o.label for o in plot.axis_options] == labels
    assert labels.count(EPOCH_AXIS) == labels.count(WEIGHT_AXIS) == 1
    assert axes.has_axes()
    fresh = load_xyz_plot(monkeypatch)
    assert not axes.has_axes()
    assert register_axes() and EPOCH_AXIS in [o.label for o in fresh.axis_options]


def test_are_of_the_scripts_own_class_so_that_txt2img_and_img2img_show_them(plot: ModuleType) -> None:
    assert type(option(plot, EPOCH_AXIS)) is plot.AxisOption and type(option(plot, WEIGHT_AXIS)) is plot.AxisOption


def test_the_plot_of_forge_classic_gets_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    builtins, classes = ModuleType("lib_xyz.builtins"), ModuleType("lib_xyz.classes")
    plot = load_xyz_plot(monkeypatch)
    builtins.builtin_options, classes.AxisOption = [plot.axis_options[0]], plot.AxisOption
    monkeypatch.setitem(sys.modules, "lib_xyz.builtins", builtins)
    monkeypatch.setitem(sys.modules, "lib_xyz.classes", classes)
    assert register_axes()
    assert [o.label for o in builtins.builtin_options] == ["Nothing", EPOCH_AXIS, WEIGHT_AXIS]


def test_a_webui_without_the_script_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import scripts

    monkeypatch.setattr(scripts, "scripts_data", [])
    assert register_axes() is False and axes.has_axes() is False


def test_offers_every_save_live_newest_run_first_and_what_lies_in_the_folder(plot: ModuleType, webui: Path) -> None:
    choices = option(plot, EPOCH_AXIS).choices
    assert choices() == []
    set_runs(RUNS)
    touch(webui, "sub/foreign-000002", "foreign-000001", "foreign", "single", "korri-000001")
    assert choices() == [
        "korri-000001", "korri-000002", "korri", "old-000001", "old", "foreign-000001", "foreign-000002", "foreign",
    ]  # fmt: skip
    touch(webui, "foreign-000003")
    assert "foreign-000003" in choices()


def test_choices_never_raise(plot: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.cmd_opts, "lora_dir", "\0")
    assert option(plot, EPOCH_AXIS).choices() == []


def test_the_values_of_a_paste_are_read_as_the_names_and_weights(plot: ModuleType) -> None:
    set_runs(RUNS)
    p = picture("")
    assert values_of(option(plot, EPOCH_AXIS), "korri-000001,korri", p) == ["korri-000001", "korri"]
    assert values_of(option(plot, WEIGHT_AXIS), "0.4,0.7,1", p) == [0.4, 0.7, 1.0]


def test_unknown_names_and_wild_weights_stop_the_plot_with_a_sentence(plot: ModuleType) -> None:
    set_runs(RUNS)
    with pytest.raises(RuntimeError, match="there is no LoRA file gone"):
        values_of(option(plot, EPOCH_AXIS), "korri,gone", picture(""))
    with pytest.raises(RuntimeError, match="between -10 and 10, not 40"):
        values_of(option(plot, WEIGHT_AXIS), "0.4,40", picture(""))
    set_runs([])
    with pytest.raises(RuntimeError, match="no trained LoRA is known yet"):
        values_of(option(plot, WEIGHT_AXIS), "0.4", picture(""))


def test_labels_are_short(plot: ModuleType) -> None:
    set_runs(RUNS)
    epoch, weight = option(plot, EPOCH_AXIS), option(plot, WEIGHT_AXIS)
    assert epoch.format_value(None, epoch, "korri") == "Epoch 3"
    assert epoch.format_value(None, epoch, "foreign-000007") == "Epoch 7"
    assert epoch.format_value(None, epoch, "foreign") == "foreign"
    assert weight.format_value(None, weight, 0.1 + 0.2) == "Weight 0.3"


@pytest.mark.parametrize("epoch_first", [True, False])
@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("korri, hill", "korri, hill <lora:{name}:{weight}>"),
        ("korri <lora:korri-000001:0.3>, hill", "korri <lora:{name}:{weight}>, hill"),
        ("<lora:other:0.5> korri <lora:korri:1:0.5>", "<lora:other:0.5> korri <lora:{name}:{weight}:{half}>"),
        ("<lora:old:0.6> korri", "<lora:old:0.6> korri <lora:{name}:{weight}>"),
    ],
)
def test_every_cell_has_its_epoch_and_weight_in_our_tag_whichever_axis_comes_first(
    plot: ModuleType, prompt: str, expected: str, epoch_first: bool
) -> None:
    set_runs(RUNS)
    epoch, weight = option(plot, EPOCH_AXIS), option(plot, WEIGHT_AXIS)
    names, weights = ["korri-000002", "korri"], [0.4, 1.0]
    both = [(epoch, names), (weight, weights)]
    prompts = plot_prompts(picture(prompt), both if epoch_first else both[::-1])
    for (x, y), drawn in prompts.items():
        name, value = (x, y) if epoch_first else (y, x)
        assert drawn == expected.format(name=name, weight=f"{value:g}", half=f"{value / 2:g}")


def test_epochs_of_two_runs_on_one_axis_take_each_others_place(plot: ModuleType) -> None:
    set_runs(RUNS)
    epoch = option(plot, EPOCH_AXIS)
    p = picture("<lora:old-000001:0.5>")
    epoch.apply(p, "korri", ["old", "korri"])
    assert p.prompt == "<lora:korri:0.5>"


def test_the_weight_axis_alone_takes_the_newest_run_or_the_one_in_the_prompt(plot: ModuleType) -> None:
    set_runs(RUNS)
    shared.state.xyz_plot_x = SimpleNamespace(axis=option(plot, WEIGHT_AXIS), values=[0.5])
    weight = option(plot, WEIGHT_AXIS)
    for prompt, expected in (
        ("hill", "hill <lora:korri:0.5>"),
        ("<lora:old:1>", "<lora:old:0.5>"),
        ("<lora:old:1> <lora:korri:1>", "<lora:old:1> <lora:korri:0.5>"),
    ):
        p = picture(prompt)
        weight.apply(p, 0.5, [0.5])
        assert p.prompt == expected


def test_hires_fix_and_spread_prompts_are_rewritten_too_and_an_empty_one_stays_empty(plot: ModuleType) -> None:
    set_runs(RUNS)
    p = picture("a <lora:korri:1>", hr_prompt="b <lora:korri:1>", all_prompts=["c <lora:korri:1>"], all_hr_prompts=None)
    option(plot, EPOCH_AXIS).apply(p, "korri-000001", ["korri-000001"])
    assert (p.prompt, p.hr_prompt, p.all_prompts) == (
        "a <lora:korri-000001:1>", "b <lora:korri-000001:1>", ["c <lora:korri-000001:1>"],
    )  # fmt: skip
    empty = picture("a", hr_prompt="")
    option(plot, EPOCH_AXIS).apply(empty, "korri-000001", ["korri-000001"])
    assert empty.hr_prompt == ""
    img2img = picture("a")
    option(plot, WEIGHT_AXIS).apply(img2img, 0.5, [0.5])
    assert img2img.prompt == "a <lora:korri:0.5>"


def test_set_runs_arrives_over_the_socket(node: NodeSide, host: HostConnection) -> None:
    assert node.request("setRuns", runs=RUNS) == {}
    assert epoch_names()[:3] == ["korri-000001", "korri-000002", "korri"]
