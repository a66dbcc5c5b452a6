"""The only file in here: the WebUI executes every one of this folder. The rest is in extension/."""

import sys
from pathlib import Path

from modules import scripts

basedir = scripts.basedir()
extension = str(Path(basedir) / "extension")
if extension not in sys.path:
    sys.path.append(extension)

from train_lora_webui.register import register  # noqa: E402

register(basedir)
