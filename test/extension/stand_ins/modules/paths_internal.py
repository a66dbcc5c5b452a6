from __future__ import annotations

import os

data_path = os.environ["STAND_IN_DATA"]
models_path = os.path.join(data_path, "models")  # noqa: PTH118
