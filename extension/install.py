"""Run by the WebUI at each launch, before anything else is there: one line, no network, nothing installed.

Everything that Train LoRA needs is brought by its tab, into places of its own. Any Python 3 can read this file.
"""
# ruff: noqa: T201, UP032

import os
import shutil
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 9)


def main() -> None:
    """Prints one line and never throws: a failing installer would be reported at each launch of the WebUI."""
    try:
        if not _told_to_skip():
            print(_line(Path(__file__).resolve().parent.parent))
    except Exception as error:
        print("Train LoRA: {}".format(error))


def _told_to_skip() -> bool:
    return "--skip-install" in sys.argv[1:] + os.environ.get("COMMANDLINE_ARGS", "").split()


def _line(repository: Path) -> str:
    if sys.version_info[:2] < OLDEST_PYTHON:
        return "Train LoRA: Python 3.9 or newer is needed, the WebUI runs on {}.{}.".format(*sys.version_info[:2])
    if (repository / "dist" / "server" / "main.js").is_file():
        return "Train LoRA: built, see its tab."
    node = shutil.which("node")
    found = "Node found at {}".format(node) if node else "no Node on PATH, a private one is offered"
    return "Train LoRA: {}; open its tab to set it up.".format(found)


if __name__ == "__main__":
    main()
