"""
The two environments of the WebUIs, with gradio as it really is: `python test/extension/venvs.py` makes both and prints
their Pythons. Each is made once, below data/, and again when its requirements or the Python have changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINES = ("gradio3", "gradio4")
#: Of later Pythons there are no wheels of what these gradios want, and it does not build there.
FITTING = ("3.12", "3.11", "3.10")
NO_PYTHON = f"gradio 3.41.2 and 4.40.0 need Python {' or '.join(FITTING)}, and there is none on PATH"


def gradio_python(line: str) -> Path:
    """The Python of `line`; makes its environment if it is missing (about a minute). Raises CalledProcessError."""
    base = fitting_python()
    if base is None:
        raise LookupError(NO_PYTHON)
    requirements = Path(__file__).parent / f"requirements-{line}.txt"
    folder = Path(os.environ.get("TRAIN_LORA_TEST_VENVS") or ROOT / "data") / f"venv-{line}"
    stamp = folder / "train-lora-requirements"
    wanted = hashlib.sha256(f"{_version(base)}\n{requirements.read_text('utf-8')}".encode()).hexdigest()
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if stamp.is_file() and stamp.read_text("utf-8") == wanted and python.is_file():
        return python
    subprocess.run([str(base), "-m", "venv", "--clear", str(folder)], check=True, stdout=sys.stderr)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--prefer-binary"]
    subprocess.run([*pip, "-r", str(requirements)], check=True, stdout=sys.stderr)
    stamp.write_text(wanted, "utf-8")
    return python


def fitting_python() -> Path | None:
    """This one if it fits, else one on PATH that does."""
    if "{}.{}".format(*sys.version_info[:2]) in FITTING:
        return Path(sys.executable)
    found = (shutil.which(f"python{version}") for version in FITTING)
    return next((Path(path) for path in found if path and _version(Path(path))), None)


def _version(python: Path) -> str:
    """Empty for a program that is there but does not run, as a version manager's stand-in."""
    asked = subprocess.run([str(python), "-c", "import sys; print(sys.version)"], capture_output=True, text=True)
    return asked.stdout.strip()


if __name__ == "__main__":
    if fitting_python() is None:
        sys.stderr.write(f"{NO_PYTHON}.\n")
    else:
        for known in LINES:
            sys.stdout.write(f"{gradio_python(known)}\n")
