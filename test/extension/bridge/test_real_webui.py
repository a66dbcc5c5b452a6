"""The same against pieces of a real checkout that need no torch: its queue's lock, and its reader of infotext."""

from __future__ import annotations

import importlib.util
import re
import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace

import modules
import pytest
from drawing_request import cell, render
from modules import call_queue, processing, shared
from node_side import NodeSide, queue_is_free, until
from test_paste_text import request
from train_lora_webui.bridge.axes import EPOCH_AXIS, register_axes
from train_lora_webui.bridge.host_connection import HostConnection
from xyz_plot import WEBUI_DIR, load_xyz_plot

pytestmark = pytest.mark.skipif(not WEBUI_DIR, reason="SD_WEBUI_DIR names no checkout of a WebUI")


def load(name: str) -> ModuleType:
    """Executes <WebUI>/modules/<name>.py under its own name."""
    path = Path(str(WEBUI_DIR)) / "modules" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"modules.{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def real_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_queue, "queue_lock", load("fifo_lock").FIFOLock())


@pytest.mark.usefixtures("real_lock")
def test_its_lock_lets_the_users_picture_in_between_and_counts_who_waits(
    node: NodeSide, host: HostConnection, tmp_path: Path
) -> None:
    lease = node.request("leaseGpu", job="j", jobName="run")
    order: list[str] = []

    def users_own() -> None:
        with call_queue.queue_lock:
            order.append("user")

    threading.Thread(target=users_own, daemon=True).start()
    assert node.wait_for(lambda message: message == {"type": "waiting", "tasks": 1})
    node.request("releaseGpu", lease=lease["lease"])
    until(lambda: order == ["user"])

    def before_step(p: processing.StableDiffusionProcessingTxt2Img, step: int) -> None:
        order.extend(["cell"] if step == 0 else [])
        if order == ["user", "cell"] and step == 1:
            threading.Thread(target=users_own, daemon=True).start()
            until(lambda: len(call_queue.queue_lock._pending_threads) > 0)

    processing.trouble.before_step = before_step
    assert node.request("renderCells", **render(tmp_path, [cell(1), cell(2)])) == {"drawn": 2}
    assert order == ["user", "cell", "user", "cell"] and queue_is_free()


@pytest.fixture
def real_infotext(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The checkout's infotext_utils; gradio and what needs torch are stand-ins without a part in reading."""
    weights = ModuleType("modules.prompt_parser")
    weights.parse_prompt_attention = lambda text: [  # type: ignore[attr-defined]
        [part, 1.1 if part.startswith("(") else 1.0] for part in re.split(r"(\([^)]*\))", text) if part
    ]
    gradio = ModuleType("gradio")
    gradio.update = lambda **fields: fields  # type: ignore[attr-defined]
    forge = ModuleType("modules_forge")
    forge.main_entry = SimpleNamespace(module_list={})  # type: ignore[attr-defined]

    def put(name: str, module: ModuleType | None) -> None:
        monkeypatch.setitem(sys.modules, f"modules.{name}", module)
        monkeypatch.setattr(modules, name, module, raising=False)
        if module is None:
            monkeypatch.delattr(modules, name)

    for name in ("ui_tempdir", "script_callbacks", "errors"):
        put(name, ModuleType(f"modules.{name}"))
    put("prompt_parser", weights)
    monkeypatch.setitem(sys.modules, "gradio", gradio)
    monkeypatch.setitem(sys.modules, "modules_forge", forge)
    monkeypatch.setattr(shared, "prompt_styles", SimpleNamespace(), raising=False)
    monkeypatch.setitem(shared.opts.data, "infotext_styles", "Ignore")
    if has("infotext_versions"):
        put("infotext_versions", load("infotext_versions"))
    if not has("sd_schedulers"):
        put("sd_schedulers", None)
    name = "infotext_utils" if has("infotext_utils") else "generation_parameters_copypaste"
    if name != "infotext_utils":
        put("infotext_utils", None)
    put(name, load(name))
    monkeypatch.delitem(sys.modules, "modules_forge")
    return sys.modules[f"modules.{name}"]


def has(name: str) -> bool:
    return (Path(str(WEBUI_DIR)) / "modules" / f"{name}.py").is_file()


def chips_of(reader: ModuleType, params: dict[str, object]) -> list[str]:
    """Labels of the settings that pasting would override; before 1.8 only the page's own paste worked them out."""
    if hasattr(reader, "get_override_settings"):
        return [chip[0] for chip in reader.get_override_settings(params)]
    told = [(info.infotext, name) for name, info in shared.opts.data_labels.items() if info.infotext in params]
    pasted = [(label, name, shared.opts.cast_value(name, params[label])) for label, name in told]
    return [label for label, name, value in pasted if value != getattr(shared.opts, name) and label != "Model hash"]


@pytest.mark.parametrize(
    "present",
    [
        {},
        {"randn_source": "CPU", "sd_vae_decode_method": "TAESD", "emphasis": "No norm", "rho": 5.0},
        {"fp8_storage": "Enable", "sd_vae": "plain.vae.pt", "eta_noise_seed_delta": 31337},
    ],
)
def test_its_reader_gets_the_plot_and_no_override_but_the_clip_skip(
    node: NodeSide,
    host: HostConnection,
    monkeypatch: pytest.MonkeyPatch,
    real_infotext: ModuleType,
    present: dict[str, object],
) -> None:
    shared.opts.data.update(present)
    load_xyz_plot(monkeypatch)
    register_axes()
    text = node.request("pasteText", **request(prompt="korri, (hill:1.2)"))["text"]
    params = real_infotext.parse_generation_parameters(text)
    assert (params["Script"], params["X Type"], params["Z Type"]) == ("X/Y/Z plot", EPOCH_AXIS, "Nothing")
    assert params["X Values"] == "korri-000001,korri-000002,korri" and params["Y Values"] == "0.4,0.7,1"
    assert params["Prompt"] == "korri, (hill:1.2) <lora:korri:0.4>"
    assert chips_of(real_infotext, params) == ["Clip skip"]
