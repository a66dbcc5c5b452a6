"""The whole set-up of a small extension with the real node, npm and build."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_extension import STAND_INS, TRAINER, SmallExtension, fake_program, path_without
from train_lora_webui.setup.setup_lock import take_setup_lock
from train_lora_webui.setup.setup_log import SetupLog
from train_lora_webui.setup.setup_run import SetupRun
from train_lora_webui.setup.trainer_size import trainer_size


def codes(state: dict[str, Any]) -> list[str]:
    return [step["code"] for step in state["steps"]]


def test_a_fresh_extension_gets_packages_build_and_trainer(extension: SmallExtension) -> None:
    before = extension.state()
    assert before["status"] == "needed"
    assert [(step["code"], step["reason"]) for step in before["steps"]] == [
        ("packages", "first"),
        ("build", "first"),
        ("trainer", "first"),
    ]
    state = extension.run()
    assert (state["status"], state["failure"], state["steps"]) == ("ready", None, [])
    assert [step.status for step in extension.setup.steps()] == ["done"] * 3
    assert all(step.progress == 1.0 for step in extension.setup.steps())
    lines = extension.lines()
    assert "Making the trainer's venv" in lines and "not JSON: a warning of somebody else" in lines
    assert "Building the server …" in lines
    assert lines[-1] in (extension.home / "setup.log").read_text("utf-8")


def test_the_build_that_tools_made_is_known_without_asking_node(extension: SmallExtension) -> None:
    extension.run()
    (extension.home / "setup.json").unlink()
    assert extension.state()["status"] == "ready"


def test_user_data_and_logs_stay_out_of_the_extension(extension: SmallExtension) -> None:
    extension.run()
    made = {path.name for path in extension.repository.iterdir()}
    assert made - {
        "tools",
        "server",
        "ui",
        "protocol",
        "trainer-py",
        "archives",
        "package.json",
        "package-lock.json",
    } == {
        "node_modules",
        "dist",
    }


def test_the_packages_stamp_makes_npm_run_install_what_development_needs(extension: SmallExtension) -> None:
    extension.run()
    stamp = (extension.repository / "node_modules" / ".train-lora-lock").read_text("utf-8")
    assert stamp.endswith(" production")


def test_an_update_does_only_what_it_changed_and_says_so(extension: SmallExtension) -> None:
    extension.run()
    extension.write("ui/index.html", "<p>new page</p>")
    extension.write_packages("0.2.0", {**STAND_INS, "vite": f"{STAND_INS['vite']}// newer"})
    state = extension.state()
    assert state["updatedFrom"] == {"number": "0.1.0", "commit": ""}
    assert state["version"] == {"number": "0.2.0", "commit": ""}
    assert [(step["code"], step["reason"]) for step in state["steps"]] == [
        ("packages", "changed"),
        ("build", "changed"),
    ]
    state = extension.run()
    assert (state["status"], state["updatedFrom"]) == ("ready", None)
    assert (extension.repository / "dist" / "ui" / "index.html").read_text("utf-8") == "<p>new page</p>"


def test_an_update_of_the_trainers_packages_alone_is_one_step(extension: SmallExtension) -> None:
    extension.run()
    extension.write("trainer-py/requirements.txt", "torch==2\n")
    assert codes(extension.state()) == ["trainer"]
    assert extension.run()["status"] == "ready"


def test_try_again_goes_on_with_the_step_that_failed(extension: SmallExtension) -> None:
    extension.write(
        "server/cli.js",
        'console.log(JSON.stringify({ type: "failed", code: "install_failed", message: "pip failed.",'
        ' details: "OSError: [Errno 28] No space left on device" })); process.exit(1);',
    )
    state = extension.run()
    assert state["status"] == "failed"
    assert (state["failure"]["code"], state["failure"]["step"]) == ("disk_full", "trainer")
    assert "No space left" in state["failure"]["details"]
    assert [step["status"] for step in state["steps"]] == ["done", "done", "failed"]
    extension.write("server/cli.js", TRAINER)
    assert extension.run()["status"] == "ready"
    assert [step.code for step in extension.setup.steps()] == ["build", "trainer"]


def test_the_trainers_progress_is_what_pip_has_loaded_and_then_what_lies_in_the_venv(extension: SmallExtension) -> None:
    lines = ["Downloading torch-2-py3.whl (400.0 MB)", "Downloading numpy-2.whl.metadata (60 kB)"]
    extension.write(
        "server/cli.js",
        "const say = (message) => console.log(JSON.stringify(message));"
        f"for (const text of {json.dumps(lines)}) say({{ type: 'line', text }});"
        "say({ type: 'progress', done: 50, total: 100 }); setInterval(() => {}, 1000);",
    )
    assert extension.setup.start(extension.place, False)

    def told() -> float:
        return next((step["progress"] for step in extension.state()["steps"] if step["code"] == "trainer"), 0.0)

    loaded = wait_for(told)
    assert loaded == pytest.approx(200 / (trainer_size()[1] * 0.4) / 2, abs=0.01)
    (extension.home / "venv-trainer" / "lib" / "python3.11" / "site-packages" / "torch-1.dist-info").mkdir(parents=True)
    assert told() == pytest.approx(loaded + 0.5)
    assert extension.state()["steps"][2]["seconds"] > 0
    extension.setup.cancel()
    assert extension.setup.wait(15)


def test_what_the_server_says_of_a_missing_program_is_kept(extension: SmallExtension) -> None:
    extension.write(
        "server/cli.js",
        'console.log(JSON.stringify({ type: "failed", code: "program_missing", message: "Python 3.10 is needed." }));'
        " process.exit(1);",
    )
    failure = extension.run()["failure"]
    assert (failure["code"], failure["message"]) == ("program_missing", "Python 3.10 is needed.")


def test_a_build_that_breaks_is_told_with_its_last_lines(extension: SmallExtension) -> None:
    extension.write_packages(
        "0.1.0", {**STAND_INS, "esbuild": "export function build() { throw new Error('odd syntax'); }"}
    )
    failure = extension.run()["failure"]
    assert (failure["code"], failure["step"]) == ("build_failed", "build")
    assert "odd syntax" in failure["details"]


def test_stop_ends_the_whole_group_within_seconds(extension: SmallExtension, tmp_path: Path) -> None:
    grandchild = tmp_path / "grandchild.pid"
    extension.write(
        "server/cli.js",
        'import { spawn } from "node:child_process"; import fs from "node:fs";'
        'const child = spawn("sleep", ["300"], { stdio: "ignore" });'
        f"fs.writeFileSync({json.dumps(str(grandchild))}, String(child.pid)); setInterval(() => {{}}, 1000);",
    )
    assert extension.setup.start(extension.place, False)
    pid = int(wait_for(lambda: grandchild.exists() and grandchild.read_text()))
    extension.setup.cancel()
    began = time.monotonic()
    assert extension.setup.wait(15)
    assert time.monotonic() - began < 7
    state = extension.state()
    assert (state["status"], state["failure"]) == ("cancelled", None)
    assert state["steps"][-1]["status"] == "cancelled"
    assert wait_for(lambda: not is_running(pid))
    extension.write("server/cli.js", TRAINER)
    assert extension.run()["status"] == "ready"


def test_a_program_that_the_system_kills_is_told_as_that(extension: SmallExtension) -> None:
    extension.write("server/cli.js", 'process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1000);')
    assert extension.run()["failure"]["code"] == "killed"


def test_only_one_set_up_runs_at_a_time(extension: SmallExtension) -> None:
    extension.write("server/cli.js", "setInterval(() => {}, 1000);")
    assert extension.setup.start(extension.place, False)
    assert not extension.setup.start(extension.place, False)
    wait_for(lambda: [step.status for step in extension.setup.steps()][2:] == ["running"])
    other = SetupRun(SetupLog())
    assert other.start(extension.place, False)
    assert other.wait(15)
    assert other.failure().code == "busy"
    extension.setup.cancel()
    assert extension.setup.wait(15)


@pytest.mark.skipif(os.name == "nt", reason="on Windows only the WebUI itself holds the lock")
def test_what_a_killed_webui_left_running_is_cleared_away(extension: SmallExtension) -> None:
    extension.home.mkdir()
    script = (
        "import sys, threading; from pathlib import Path\n"
        "from train_lora_webui.setup.setup_lock import take_setup_lock\n"
        "from train_lora_webui.setup.child_process import Surroundings, run_child\n"
        "import os\n"
        f"home = Path({str(extension.home)!r})\n"
        "lock = take_setup_lock(home)\n"
        "around = Surroundings(home, os.environ, threading.Event(), lock.note_child, lock.handle)\n"
        "run_child(['sleep', '300'], print, around)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3] / "extension")}
    webui = subprocess.Popen([sys.executable, "-c", script], env=environment)
    orphan = wait_for(lambda: _child_of(extension.home / "setup.lock"))
    webui.send_signal(signal.SIGKILL)
    webui.wait()
    assert is_running(orphan)
    take_setup_lock(extension.home).release()
    assert wait_for(lambda: not is_running(orphan))


def test_a_server_that_trains_is_not_robbed_of_its_files(extension: SmallExtension) -> None:
    extension.place = extension.place.__class__(
        extension.repository, extension.home, None, lambda: "A training runs; the update waits for its end."
    )
    failure = extension.run()["failure"]
    assert (failure["code"], failure["message"]) == ("server_busy", "A training runs; the update waits for its end.")


def test_without_any_node_it_says_what_to_do(extension: SmallExtension, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", path_without("node"))
    state = extension.state()
    assert state["node"] is None
    assert state["steps"][0]["code"] == "node"
    failure = extension.run()["failure"]
    assert failure["code"] == "node_missing"
    assert "20.19" in failure["message"] and "private" in failure["message"]


def test_an_old_node_is_named_in_the_failure(
    extension: SmallExtension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = fake_program(tmp_path / "bin" / "node", 'echo "v18.20.4 $0"')
    monkeypatch.setenv("PATH", f"{old.parent}{os.pathsep}{path_without('node')}")
    state = extension.state()
    assert [problem["code"] for problem in state["nodeProblems"]] == ["too_old"]
    assert "Node 18.20.4" in extension.run()["failure"]["message"]


def test_a_node_without_npm_is_told(extension: SmallExtension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lone = tmp_path / "lone" / "node"
    lone.parent.mkdir()
    shutil.copy(os.path.realpath(shutil.which("node")), lone)
    hidden = [part for part in path_without("node").split(os.pathsep) if not (Path(part) / "npm").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join([str(lone.parent), *hidden]))
    state = extension.state()
    assert state["node"]["npm"] is False
    assert (state["steps"][0]["code"], state["steps"][0]["reason"]) == ("node", "no_npm")
    assert extension.run()["failure"]["code"] == "npm_missing"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_extension_is_told_before_npm_runs(extension: SmallExtension) -> None:
    extension.repository.chmod(0o555)
    failure = extension.run()["failure"]
    extension.repository.chmod(0o755)
    assert failure["code"] == "permission_denied"
    assert str(extension.repository) in failure["message"]


def wait_for(found: Callable[[], Any], seconds: float = 20.0) -> Any:  # noqa: ANN401 - whatever was waited for
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        value = found()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not come in time")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _child_of(file: Path) -> int | None:
    try:
        return json.loads(file.read_text("utf-8"))["child"]
    except (OSError, ValueError):
        return None
