"""One thread, no network, and one tiny random checkpoint for all tests."""

import os
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE", GOMP_SPINCOUNT="0", HF_HUB_OFFLINE="1")

import pytest
import torch

from tiny_checkpoint import write_tiny_checkpoint
from trainer import train  # noqa: F401  (forked trainers inherit the heavy imports)
from trainer.model.base_model import BaseModel, load_base_model

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def tiny_base(tiny_checkpoint: Path) -> BaseModel:
    return load_base_model(tiny_checkpoint, device=torch.device("cpu"), dtype=torch.float32)
