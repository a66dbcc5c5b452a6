import math
from pathlib import Path

import pytest
import torch

from tool_files import LINEAR, run_request, tool_file
from trainer.network.lora_weights import LoraModule, LoraWeights


def test_inspection_finds_norms_and_ranks(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    # Singular values 3, 2, 1 of an alpha that halves them.
    basis = torch.linalg.qr(torch.randn(20, 3))[0]
    down = torch.linalg.qr(torch.randn(12, 3))[0].T
    weights = LoraWeights({LINEAR: LoraModule(down, basis * torch.tensor([3.0, 2.0, 1.0]), 1.5)})
    result = run_request(
        capfd,
        tmp_path,
        tool="inspect",
        file=tool_file(tmp_path / "a.safetensors", weights, "float"),
    )
    row = result["modules"][0]
    shares = torch.tensor([3.0, 2.0, 1.0]) / 6
    assert row["norm"] == pytest.approx(math.sqrt(14) / 2, abs=1e-5)
    assert row["stableRank"] == pytest.approx(14 / 9, abs=1e-4)
    assert row["effectiveRank"] == pytest.approx(float(torch.exp(-(shares * shares.log()).sum())), abs=1e-4)
    assert (row["dim90"], row["dim99"], row["dim"]) == (2, 3, 3)
    assert result["norms"] == {"down": pytest.approx(math.sqrt(14) / 2, abs=1e-5)}
