"""
The two environments of the WebUIs, with gradio as it really is: `python test/extension/venvs.py` makes both and prints
their Pythons. Each is made once, below data/, and again when its requirements or the Python have changed.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINES = ("gradio3", "gradio4")


def gradio_python(line: str) -> Path:
    """The Python of `line`; makes its environment if it is missing (about a minute). Raises CalledProcessError."""
    requirements = Path(__file__).parent / f"requirements-{line}.txt"
    folder = Path(os.environ.get("TRAIN_LORA_TEST_VENVS") or ROOT / "data") / f"venv-{line}"
    stamp = folder / "train-lora-requirements"
    wanted = hashlib.sha256(f"{sys.version}\n{requirements.read_text('utf-8')}".encode()).hexdigest()
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if stamp.is_file() and stamp.read_text("utf-8") == wanted and python.is_file():
        return python
    venv.EnvBuilder(clear=True, with_pip=True).create(folder)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--prefer-binary"]
    subprocess.run([*pip, "-r", str(requirements)], check=True, stdout=sys.stderr)
    stamp.write_text(wanted, "utf-8")
    return python


if __name__ == "__main__":
    for known in LINES:
        sys.stdout.write(f"{gradio_python(known)}\n")
