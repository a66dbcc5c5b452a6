"""What the set-up learns from the WebUI about torch."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from train_lora_webui.setup.setup_environment import setup_environment
from train_lora_webui.setup.webui_torch import default_index, webui_torch, works_with

LINES = """
    torch_index_url = os.environ.get('TORCH_INDEX_URL', "https://xpu.example/release-whl/stable/xpu/us/")
    torch_index_url = os.environ.get(
        'TORCH_INDEX_URL', "https://builds.example/whl/cu121")
    torch_command = os.environ.get('TORCH_COMMAND', f"pip install torch==2.1.2 --extra-index-url {torch_index_url}")
"""


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (LINES, "https://builds.example/whl/cu121"),
        ('x = os.environ.get("TORCH_INDEX_URL", "https://builds.example/whl/cpu/")', "https://builds.example/whl/cpu/"),
        ('x = os.environ.get("TORCH_INDEX_URL", f"https://{host}/whl/cu128")', ""),
        ('x = os.environ.get("TORCH_INDEX_URL")', ""),
        ("", ""),
    ],
)
def test_the_webuis_own_address_of_builds_is_read_from_its_program(text: str, url: str) -> None:
    assert default_index(text) == url


def test_it_reaches_our_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "launch_utils.py").write_text(LINES, "utf-8")
    paths = ModuleType("modules.paths_internal")
    paths.script_path = str(tmp_path)
    monkeypatch.setitem(sys.modules, "modules.paths_internal", paths)
    monkeypatch.delitem(sys.modules, "modules.launch_utils", raising=False)
    assert setup_environment({})["TRAIN_LORA_WEBUI_TORCH_INDEX"] == "https://builds.example/whl/cu121"


def a_torch(available: bool, cuda: str | None = None, hip: str | None = None, **cards: object) -> SimpleNamespace:
    names = [str(name) for name in cards.get("names", [])]
    pairs = list(cards.get("capabilities", []))
    gpu = SimpleNamespace(
        is_available=lambda: available,
        is_initialized=lambda: cards.get("initialized", True),
        device_count=lambda: len(names),
        get_device_name=lambda card: names[card],
        get_device_capability=lambda card: pairs[card],
    )
    mps = SimpleNamespace(is_available=lambda: bool(cards.get("mps")))
    return SimpleNamespace(cuda=gpu, version=SimpleNamespace(cuda=cuda, hip=hip), backends=SimpleNamespace(mps=mps))


RTX = {"names": ["NVIDIA GeForce RTX 3060", "Tesla P40"], "capabilities": [(8, 6), (6, 1)]}


@pytest.mark.parametrize(
    ("torch", "said"),
    [
        (a_torch(True, cuda="12.1", **RTX), "cuda 12.1 8.6 6.1"),
        (a_torch(True, cuda="12.1", initialized=False, **RTX), "cuda 12.1"),
        (a_torch(True, hip="6.2.41133-dd7f95766"), "rocm 6.2.41133-dd7f95766"),
        (a_torch(True, cuda="11.8", names=["AMD Radeon RX 6800 [ZLUDA]"], capabilities=[(8, 8)]), "cpu"),
        (a_torch(False, mps=True), "mps"),
        (a_torch(False, cuda="12.1"), "cpu"),
        (SimpleNamespace(), ""),
    ],
)
def test_what_the_webuis_torch_computes_on(torch: SimpleNamespace, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert works_with() == said


def test_a_torch_that_is_not_loaded_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    assert "TRAIN_LORA_WEBUI_TORCH" not in webui_torch()
    assert "torch" not in sys.modules
