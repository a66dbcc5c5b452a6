"""The WebUI calls this while it reads its command line; the options are in extension/."""

import argparse
import sys
from pathlib import Path


def preload(parser: argparse.ArgumentParser) -> None:
    extension = str(Path(__file__).absolute().parent / "extension")
    if extension not in sys.path:
        sys.path.append(extension)

    from train_lora_webui.flags import add_flags

    add_flags(parser)
