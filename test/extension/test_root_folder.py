"""What the WebUI finds at the root of an extension, it runs or puts into its page: no more than we mean it to."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_one_script_and_one_module_stand_where_the_webui_looks() -> None:
    assert [file.name for file in sorted((ROOT / "scripts").iterdir()) if file.name != "__pycache__"] == [
        "train_lora.py"
    ]
    assert [file.name for file in (ROOT / "javascript").iterdir()] == ["train_lora.mjs"]
    assert not (ROOT / "localizations").exists()
    metadata = configparser.ConfigParser()
    metadata.read(ROOT / "metadata.ini")
    assert not metadata.has_option("Extension", "Requires")


def test_every_rule_of_the_style_is_ours() -> None:
    style = re.sub(r"/\*.*?\*/", "", (ROOT / "style.css").read_text("utf-8"), flags=re.DOTALL)
    selectors = [part.strip() for rule in re.findall(r"([^{}]+)\{", style) for part in rule.split(",")]
    assert selectors and all(re.match(r"[.#]train[-_]lora", selector) for selector in selectors)


def test_no_folder_of_ours_can_be_taken_for_a_package_of_the_webuis() -> None:
    """Forge puts every extension's root on the path of its Python for good."""
    packages = {file.parent.name for file in ROOT.glob("*/__init__.py")}
    assert not packages


def test_every_option_has_our_prefix() -> None:
    import argparse

    from train_lora_webui.flags import add_flags

    parser = argparse.ArgumentParser(add_help=False)
    add_flags(parser)
    assert [
        name for action in parser._actions for name in action.option_strings if not name.startswith("--train-lora-")
    ] == []


def test_no_code_of_ours_installs_into_the_webuis_python_or_adds_a_middleware() -> None:
    forbidden = re.compile(r"run_pip|add_middleware|\.middleware\(|launch\.run\b|pip\.main|set_static_paths")
    for file in [*(ROOT / "extension").rglob("*.py"), ROOT / "install.py", ROOT / "preload.py"]:
        assert not forbidden.search(file.read_text("utf-8")), file
