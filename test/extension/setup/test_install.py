"""extension/install.py, as the WebUI runs it at each launch."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_extension import REPOSITORY

INSTALL = REPOSITORY / "extension" / "install.py"


def run(tmp_path: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(INSTALL), *arguments]
    return subprocess.run(
        command, cwd=tmp_path, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


def test_it_says_one_line_and_leaves_no_trace(tmp_path: Path) -> None:
    before = sorted(REPOSITORY.iterdir())
    ended = run(tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("Train LoRA: ") and ended.stdout.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    assert sorted(REPOSITORY.iterdir()) == before


def test_it_takes_less_than_a_tenth_of_a_second_beside_python_itself(tmp_path: Path) -> None:
    def seconds(command: list[str]) -> float:
        began = time.perf_counter()
        subprocess.run(command, cwd=tmp_path, stdout=subprocess.DEVNULL, check=True)
        return time.perf_counter() - began

    alone = min(seconds([sys.executable, "-c", "pass"]) for _ in range(5))
    assert min(seconds([sys.executable, str(INSTALL)]) for _ in range(5)) - alone < 0.1


@pytest.mark.parametrize("how", [("--skip-install",), ()])
def test_skip_install_is_honoured(tmp_path: Path, how: tuple[str, ...]) -> None:
    ended = run(tmp_path, *how, COMMANDLINE_ARGS="" if how else "--listen --skip-install")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_it_needs_no_node_no_home_and_no_network(tmp_path: Path) -> None:
    nowhere = {"PATH": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:9", "HOME": str(tmp_path / "gone")}
    ended = run(tmp_path, **nowhere)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_every_python_3_can_read_it(tmp_path: Path) -> None:
    text = INSTALL.read_text("utf-8")
    compile(text, str(INSTALL), "exec", dont_inherit=True)
    assert "import annotations" not in text and ":=" not in text and 'f"' not in text
