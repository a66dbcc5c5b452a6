"""Infotext that fills txt2img."""
# ruff: noqa: ANN401

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from modules import infotext_utils, sd_models, shared
from node_side import NodeSide, Refused
from train_lora_webui.bridge.axes import EPOCH_AXIS, WEIGHT_AXIS, register_axes
from train_lora_webui.bridge.host_connection import HostConnection
from xyz_plot import load_xyz_plot

SETTINGS = {
    "prompts": ["korri, hill"],
    "negativePrompt": "blurry, low quality",
    "sampler": "Euler a",
    "scheduler": "Karras",
    "steps": 24,
    "cfgScale": 6.0,
    "width": 832,
    "height": 1216,
    "clipSkip": 2,
    "checkpoint": None,
}
LORAS = [{"name": "korri", "epoch": 3}, {"name": "korri-000001", "epoch": 1}, {"name": "korri-000002", "epoch": 2}]


def request(**changes: Any) -> dict[str, Any]:
    return {
        "settings": SETTINGS,
        "prompt": "korri, hill",
        "seed": 42,
        "loras": LORAS,
        "weights": [0.4, 0.7, 1],
        **changes,
    }


@pytest.fixture
def plot(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = load_xyz_plot(monkeypatch)
    register_axes()
    return module


def pasted(node: NodeSide, **changes: Any) -> dict[str, Any]:
    return infotext_utils.parse_generation_parameters(node.request("pasteText", **request(**changes))["text"])


def test_a_grid_fills_the_prompt_the_script_both_axes_and_clears_the_third(
    node: NodeSide, host: HostConnection, plot: ModuleType
) -> None:
    params = pasted(node)
    assert params["Prompt"] == "korri, hill <lora:korri:0.4>"
    assert params["Negative prompt"] == "blurry, low quality"
    assert {key: params[key] for key in ("Script", "X Type", "X Values", "Y Type", "Y Values", "Z Type")} == {
        "Script": "X/Y/Z plot",
        "X Type": EPOCH_AXIS,
        "X Values": "korri-000001,korri-000002,korri",
        "Y Type": WEIGHT_AXIS,
        "Y Values": "0.4,0.7,1",
        "Z Type": "Nothing",
    }
    assert (params["Steps"], params["Sampler"], params["Schedule type"], params["Seed"]) == (
        "24",
        "Euler a",
        "Karras",
        "42",
    )
    assert (params["Size"], params["CFG scale"], params["Clip skip"]) == ("832x1216", "6", "2")


def test_one_cell_comes_without_a_script(node: NodeSide, host: HostConnection) -> None:
    text = node.request("pasteText", **request(loras=LORAS[:1], weights=[0.7]))["text"]
    assert "Script" not in text and text.startswith("korri, hill <lora:korri:0.7>\nNegative prompt: ")


def test_a_prompt_that_has_our_tag_already_keeps_it(node: NodeSide, host: HostConnection, plot: ModuleType) -> None:
    assert pasted(node, prompt="<lora:korri-000002:0.9> korri")["Prompt"] == "<lora:korri-000002:0.9> korri"


@pytest.mark.parametrize(
    "present",
    [
        {"randn_source": "CPU", "sd_vae_decode_method": "TAESD", "eta_noise_seed_delta": 31337},
        {"sigma_min": 0.1, "rho": 5.0, "refiner_switch_by_sample_steps": True, "sd_vae": "plain.vae.pt"},
        {"emphasis": "No norm"},
        {},
    ],
)
def test_pasting_overrides_none_of_the_users_settings_but_the_clip_skip_that_was_asked_for(
    node: NodeSide, host: HostConnection, plot: ModuleType, present: dict[str, Any]
) -> None:
    shared.opts.data.update(present)
    params = pasted(node, prompt="korri, (hill:1.2)")
    chips = infotext_utils.get_override_settings(params)
    assert [label for label, _name, _value in chips] == ["Clip skip"]
    shared.opts.data["CLIP_stop_at_last_layers"] = 2
    assert infotext_utils.get_override_settings(pasted(node, prompt="korri, (hill:1.2)")) == []


def test_a_webui_that_can_not_be_asked_gets_the_known_labels(
    node: NodeSide, host: HostConnection, plot: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(infotext_utils, "get_override_settings")
    shared.opts.data["randn_source"] = "CPU"
    assert pasted(node)["RNG"] == "CPU"


def test_a_chosen_checkpoint_is_told_by_its_hash(node: NodeSide, host: HostConnection, plot: ModuleType) -> None:
    sd_models.CheckpointInfo("/models/b.safetensors", "feedfacebeef" + "0" * 52).register()
    params = pasted(node, settings={**SETTINGS, "checkpoint": "b.safetensors [feedfacebe]"})
    assert params["Model hash"] == "feedfacebe"


def test_without_the_plot_it_says_so_and_a_single_cell_still_works(
    node: NodeSide, host: HostConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from modules import scripts

    monkeypatch.setattr(scripts, "scripts_data", [])
    with pytest.raises(Refused) as refused:
        node.request("pasteText", **request())
    assert refused.value.failure["code"] == "webui_missing"
    assert node.request("pasteText", **request(loras=LORAS[:1], weights=[1]))["text"]


def test_a_prompt_of_several_lines_stays_one(node: NodeSide, host: HostConnection, plot: ModuleType) -> None:
    assert pasted(node, prompt="korri,\nhill")["Prompt"] == "korri,\nhill <lora:korri:0.4>"
