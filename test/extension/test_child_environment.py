from __future__ import annotations

from pathlib import Path

import pytest
from train_lora_webui.child_environment import child_environment


def test_what_is_meant_for_the_webuis_python_stays_there() -> None:
    webui = {
        "PATH": "/usr/bin",
        "PYTHONPATH": "/webui",
        "PYTHONHOME": "/webui/python",
        "VIRTUAL_ENV": "/webui/venv",
        "COMMANDLINE_ARGS": "--gradio-auth ann:secret",
        "LD_PRELOAD": "libtcmalloc.so.4",
        "SD_WEBUI_RESTART": "tmp/restart",
        "HTTPS_PROXY": "http://proxy:3128",
    }
    assert child_environment(webui) == {"PATH": "/usr/bin", "HTTPS_PROXY": "http://proxy:3128", "PYTHONUTF8": "1"}


def test_a_relative_folder_for_temporary_files_becomes_the_webuis() -> None:
    assert child_environment({"TMP": "tmp"})["TMP"] == str(Path("tmp").resolve())


@pytest.mark.parametrize(
    ("visible", "device", "expected"),
    [(None, None, None), (None, "1", "1"), ("2,3", "1", "3"), ("2,3", "7", "2,3"), ("0", None, "0")],
)
def test_training_uses_the_gpu_of_the_webui(visible: str | None, device: str | None, expected: str | None) -> None:
    parent = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert child_environment(parent, device).get("CUDA_VISIBLE_DEVICES") == expected
