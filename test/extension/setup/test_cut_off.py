"""`kill -9` of the WebUI in each step: the next set-up goes on, and nothing half done is taken for whole."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from node_wheel import NODE_WHEEL, node_wheel
from package_index import PackageIndex
from small_extension import STAND_INS, TRAINER, SmallExtension, path_without, tarball
from train_lora_webui.setup.private_node import NODE_PACKAGE, NODE_VERSION
from train_lora_webui.setup.setup_lock import take_repository_lock
from train_lora_webui.setup.setup_run import Place

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")

WEBUI = """
import sys
from pathlib import Path
from train_lora_webui.setup.setup_log import SetupLog
from train_lora_webui.setup.setup_run import Place, SetupRun
run = SetupRun(SetupLog())
run.start(Place(Path(sys.argv[1]), Path(sys.argv[2])), sys.argv[3] == "node")
run.wait(100)
"""
#: Says where it is and stays there while the test's file lies about.
WAIT = (
    "if (fs.existsSync(process.env.TEST_SLOW)) { fs.writeFileSync(process.env.TEST_SLOW + '.reached', ''); "
    "await new Promise((go) => setTimeout(go, 60000)); }\n"
)


@pytest.fixture
def slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "slow"
    file.write_text("")
    monkeypatch.setenv("TEST_SLOW", str(file))
    return file


def cut(extension: SmallExtension, reached: Callable[[], Any], step: str) -> None:
    """A WebUI begins the set-up and is killed as soon as it has `reached` its point."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3] / "extension")}
    command = [sys.executable, "-c", WEBUI, str(extension.repository), str(extension.home), step]
    webui = subprocess.Popen(command, env=environment)
    try:
        until = time.monotonic() + 60
        while not reached():
            assert time.monotonic() < until and webui.poll() is None
            time.sleep(0.05)
    finally:
        webui.send_signal(signal.SIGKILL)
        webui.wait()


def test_in_the_packages(extension: SmallExtension, slow: Path) -> None:
    script = {
        "postinstall": "node -e \"require('fs').writeFileSync(process.env.TEST_SLOW + '.reached', '')\" && sleep 60"
    }
    (extension.repository / "archives" / "lasting.tgz").write_bytes(tarball("lasting", "", script))
    extension.write_packages("0.1.0", STAND_INS)
    extension.want_archive("lasting")
    cut(extension, slow.with_name("slow.reached").exists, "packages")
    assert (extension.repository / "node_modules").is_dir()
    assert [step["code"] for step in extension.state()["steps"]] == ["packages", "build", "trainer"]
    (extension.repository / "archives" / "lasting.tgz").write_bytes(tarball("lasting", ""))
    extension.write_packages("0.1.0", STAND_INS)
    assert extension.run()["status"] == "ready"


def test_in_the_build_of_an_update_that_is_then_taken_back(extension: SmallExtension, slow: Path) -> None:
    slow.unlink()
    half = "fs.writeFileSync(`${root}/../dist/ui/index.html`, 'half');" + WAIT + "fs.copyFileSync(`${root}/index.html`,"
    vite = STAND_INS["vite"].replace("fs.copyFileSync(`${root}/index.html`,", half)
    extension.write_packages("0.1.0", {**STAND_INS, "vite": vite})
    assert extension.run()["status"] == "ready"
    page = (extension.repository / "ui" / "index.html").read_text("utf-8")
    extension.write("ui/index.html", "<p>new page</p>")
    slow.write_text("")
    cut(extension, slow.with_name("slow.reached").exists, "build")
    slow.unlink()
    extension.write("ui/index.html", page)
    assert [step["code"] for step in extension.state()["steps"]] == ["build"]
    assert extension.run()["status"] == "ready"
    assert (extension.repository / "dist" / "ui" / "index.html").read_text("utf-8") == page


def test_in_the_trainer_of_a_home_that_was_whole_before(extension: SmallExtension, slow: Path) -> None:
    slow.unlink()
    waiting = TRAINER.replace(
        "fs.writeFileSync(`${home}/venv-trainer/train", f"{WAIT}fs.writeFileSync(`${{home}}/venv-trainer/train"
    )
    extension.write("server/cli.js", waiting)
    assert extension.run()["status"] == "ready"
    venv = extension.home / "venv-trainer"
    (venv / "train-lora.json").unlink()
    slow.write_text("")
    cut(extension, slow.with_name("slow.reached").exists, "trainer")
    assert (venv / "pyvenv.cfg").is_file()
    assert [(step["code"], step["reason"]) for step in extension.state()["steps"]] == [("trainer", "missing")]
    slow.unlink()
    assert extension.run()["status"] == "ready"


def test_in_the_private_node(extension: SmallExtension, slow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = PackageIndex({"simple": [f"{NODE_PACKAGE}=={NODE_VERSION}"]})
    index.extra[f"/-/files/{NODE_WHEEL}"] = ("application/octet-stream", node_wheel())
    index.open_gate.clear()
    monkeypatch.setenv("PATH", path_without("node"))
    monkeypatch.setenv("PIP_INDEX_URL", f"{index.address}/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    cut(extension, lambda: any(path.endswith(".whl") for path in index.asked), "node")
    assert extension.state()["node"] is None
    index.open_gate.set()
    state = extension.run(private_node=True)
    index.close()
    assert (state["status"], state["node"]["source"]) == ("ready", "private")


def test_two_homes_that_share_the_extensions_folder_take_turns(extension: SmallExtension) -> None:
    held = take_repository_lock(extension.repository)
    other = Place(extension.repository, extension.home.with_name("other home"))
    extension.place = other
    failure = extension.run()["failure"]
    assert failure["code"] == "busy" and str(extension.repository) in failure["message"]
    held.release()
    assert extension.run()["status"] == "ready"


def test_a_disk_that_is_full_is_told_and_gone_on_with(extension: SmallExtension, tmp_path: Path) -> None:
    disk = tmp_path / "small disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only who may mount has a small disk at hand")
    try:
        (disk / "ballast").write_bytes(b"x" * 200_000)
        extension.home = disk / "home"
        extension.place = Place(extension.repository, extension.home)
        big = 'fs.writeFileSync(`${home}/venv-trainer/pyvenv.cfg`, "x".repeat(100000));'
        extension.write(
            "server/cli.js", TRAINER.replace('fs.writeFileSync(`${home}/venv-trainer/pyvenv.cfg`, "");', big)
        )
        failure = extension.run()["failure"]
        assert (failure["code"], failure["step"]) == ("disk_full", "trainer"), json.dumps(failure)
        (disk / "ballast").unlink()
        assert extension.run()["status"] == "ready"
    finally:
        subprocess.run(["umount", str(disk)], check=False)
