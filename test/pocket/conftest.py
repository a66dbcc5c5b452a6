"""Tests of the pocket model run on one thread with the trainer's Python folder on the path."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "trainer-py"))

import torch  # noqa: E402

torch.set_num_threads(1)
