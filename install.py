"""The WebUI runs this at each start; the work is in extension/install.py, and its failure is not the WebUI's."""

import runpy
import traceback
from pathlib import Path

try:
    runpy.run_path(str(Path(__file__).absolute().parent / "extension" / "install.py"), run_name="__main__")
except SystemExit:
    pass
except Exception:
    traceback.print_exc()
