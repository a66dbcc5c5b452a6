"""
An X/Y/Z script to hang axes into: the WebUI's own when SD_WEBUI_DIR names one, else one that treats axes alike.
"""
# ruff: noqa: ANN001, ANN401

from __future__ import annotations

import csv
import importlib.util
import io
import os
import sys
from copy import copy
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from modules import scripts

WEBUI_DIR = os.environ.get("SD_WEBUI_DIR")


def load_xyz_plot(monkeypatch: pytest.MonkeyPatch, real: bool = False) -> ModuleType:
    """A fresh module, known to the WebUI's list of scripts, as after "Reload UI"."""
    module = _real_module(monkeypatch) if real else _stand_in_module()
    data = scripts.ScriptClassData(
        type("Script", (), {"__module__": "xyz_grid.py"}), "/webui/scripts/xyz_grid.py", "/webui", module
    )
    monkeypatch.setattr(scripts, "scripts_data", [data])
    return module


def values_of(option: Any, text: str, p: Any = None) -> list[Any]:
    """What the script makes of the text in an axis' field: split as CSV, converted, confirmed."""
    values = [
        option.type(value.strip()) for row in csv.reader(io.StringIO(text), skipinitialspace=True) for value in row
    ]
    if option.confirm:
        option.confirm(p, values)
    return values


def plot_prompts(p: Any, axes: list[tuple[Any, list[Any]]]) -> dict[tuple[Any, Any], str]:
    """The prompts of a plot's cells; `axes` is [(option, values)] in the order x, y."""
    from modules import shared

    for name, (option, values) in zip("xy", axes, strict=True):
        setattr(shared.state, f"xyz_plot_{name}", SimpleNamespace(axis=option, values=values))
    (x_option, xs), (y_option, ys) = axes
    prompts = {}
    for x in xs:
        for y in ys:
            cell = copy(p)
            x_option.apply(cell, x, xs)
            y_option.apply(cell, y, ys)
            prompts[x, y] = cell.prompt
    return prompts


def _stand_in_module() -> ModuleType:
    module = ModuleType("xyz_grid.py")

    class AxisOption:
        def __init__(
            self, label: str, type, apply, format_value=None, confirm=None, cost=0.0, choices=None, prepare=None
        ) -> None:
            self.label, self.type, self.apply, self.format_value = label, type, apply, format_value
            self.confirm, self.cost, self.choices, self.prepare = confirm, cost, choices, prepare

    module.AxisOption = AxisOption
    module.axis_options = [
        AxisOption("Nothing", str, lambda p, x, xs: None),
        AxisOption("Seed", int, lambda p, x, xs: None),
    ]
    return module


def _real_module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Executes the checkout's own scripts/xyz_grid.py; only gradio and what needs torch are stand-ins."""
    from modules import processing, sd_models, sd_vae

    gradio = ModuleType("gradio")
    monkeypatch.setitem(sys.modules, "gradio", gradio)
    components = ModuleType("modules.ui_components")
    components.ToolButton = object
    errors = ModuleType("modules.errors")
    errors.display = errors.report = lambda *_arguments, **_named: None
    samplers = ModuleType("modules.sd_samplers_kdiffusion")
    samplers.k_diffusion_scheduler = {}
    monkeypatch.setattr(sd_models, "select_checkpoint", lambda: None, raising=False)
    for module in (components, errors, samplers):
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(sys.modules["modules"], module.__name__.split(".")[1], module, raising=False)
    monkeypatch.setattr(scripts, "Script", scripts.Script)
    assert processing and sd_vae
    spec = importlib.util.spec_from_file_location("xyz_grid.py", Path(WEBUI_DIR) / "scripts" / "xyz_grid.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
