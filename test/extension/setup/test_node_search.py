"""Which Node is taken, and why another one is not."""

import os
import shutil
from pathlib import Path

import pytest
from small_extension import fake_program
from train_lora_webui.setup import node_search
from train_lora_webui.setup.node_search import find_node, is_new_enough


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ("20.19.0", True),
        ("20.18.3", False),
        ("v22.20.0", True),
        ("24.0.0-nightly", True),
        ("18.20.4", False),
        ("odd", False),
    ],
)
def test_the_oldest_node_is_20_19(version: str, enough: bool) -> None:
    assert is_new_enough(version) is enough


def test_the_node_on_path_is_found_with_its_npm(tmp_path: Path) -> None:
    found = find_node(None, tmp_path, os.environ)
    assert found.problems == ()
    assert (found.node.source, found.node.npm.name) == ("path", "npm-cli.js")
    assert found.node.path.samefile(os.path.realpath(shutil.which("node")))


def test_a_small_program_of_a_version_manager_leads_to_the_real_node(tmp_path: Path) -> None:
    real = os.path.realpath(shutil.which("node"))
    shim = fake_program(tmp_path / "bin" / "node", f'exec "{real}" "$@"')
    assert find_node(str(shim), tmp_path, os.environ).node.path == Path(real)


def test_a_setting_wins_over_path_and_may_be_a_name(tmp_path: Path) -> None:
    shim = fake_program(tmp_path / "bin" / "my-node", f'exec "{shutil.which("node")}" "$@"')
    environment = {**os.environ, "PATH": f"{shim.parent}{os.pathsep}{os.environ['PATH']}"}
    assert find_node("my-node", tmp_path, environment).node.source == "setting"


def test_a_setting_that_names_nothing_is_said_and_the_search_goes_on(tmp_path: Path) -> None:
    found = find_node(str(tmp_path / "nothing"), tmp_path, os.environ)
    assert [(problem.source, problem.code) for problem in found.problems] == [("setting", "missing")]
    assert found.node.source == "path"


def test_an_old_node_is_refused_with_its_version(tmp_path: Path) -> None:
    old = fake_program(tmp_path / "bin" / "node", 'echo "v18.20.4 $0"')
    found = find_node(None, tmp_path, {**os.environ, "PATH": str(old.parent) + os.pathsep + "/bin"})
    assert found.node is None
    assert "18.20.4" in found.problems[0].message and "20.19" in found.problems[0].message


def test_a_program_that_does_not_answer_in_time_is_no_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_search, "ANSWER_SECONDS", 0.3)
    hanging = fake_program(tmp_path / "bin" / "node", "exec sleep 20")
    found = find_node(None, tmp_path, {**os.environ, "PATH": str(hanging.parent) + os.pathsep + "/bin"})
    assert (found.node, found.problems[0].code) == (None, "no_answer")


def test_something_else_that_is_called_node_is_no_node(tmp_path: Path) -> None:
    other = fake_program(tmp_path / "bin" / "node", "echo amateur packet radio node program")
    found = find_node(None, tmp_path, {**os.environ, "PATH": str(other.parent) + os.pathsep + "/bin"})
    assert (found.node, found.problems[0].code) == (None, "no_answer")
