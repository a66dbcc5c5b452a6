"""Removing the extension's folder leaves the WebUI, and the user's own settings, as they were."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_extension import SmallExtension
from train_lora_webui.setup.setup_run import Place

INSTALL = Path(__file__).resolve().parents[3] / "extension" / "install.py"


def test_only_data_sets_runs_and_logs_stay_behind(
    extension: SmallExtension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, webui = tmp_path / "user", tmp_path / "web ui"
    for folder in (user, webui / "extensions", webui / "models" / "Lora"):
        folder.mkdir(parents=True)
    (webui / "config.json").write_text("{}", "utf-8")
    (webui / "models" / "Lora" / "mine.safetensors").write_bytes(b"weights")
    monkeypatch.setenv("HOME", str(user))
    before, packages = snapshot(webui), freeze()
    repository = webui / "extensions" / "train-lora"
    shutil.copytree(extension.repository, repository)
    extension.place = Place(repository, webui / "train-lora")
    extension.home = webui / "train-lora"
    subprocess.run([sys.executable, str(INSTALL)], cwd=webui, check=True, capture_output=True)
    assert extension.run()["status"] == "ready"
    (webui / "train-lora" / "datasets" / "cat").mkdir(parents=True)
    assert freeze() == packages
    shutil.rmtree(repository)
    kept = {name for name in snapshot(webui) if name.startswith("train-lora/")}
    assert "train-lora/setup.log" in kept
    assert snapshot(webui) == {**before, **{name: snapshot(webui)[name] for name in kept}}
    assert (webui / "train-lora" / "datasets" / "cat").is_dir()
    # Nothing of the user's own settings was written; programs may keep caches.
    assert {path.name for path in user.iterdir()} <= {".cache", ".npm"}


def snapshot(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def freeze() -> str:
    return subprocess.run([sys.executable, "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout
