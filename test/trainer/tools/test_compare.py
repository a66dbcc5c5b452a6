from pathlib import Path

import pytest
import torch

from tool_files import SHAPES, TEXT, change_of, run_request, tool_file, tool_lora
from trainer.network.lora_weights import LoraModule, LoraWeights
from trainer.network.read_lora import read_lora


def test_comparison_lists_differing_keys_and_the_angle(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first = tool_lora(1)
    twice = LoraWeights(
        {name: LoraModule(m.down, m.up * 2, m.alpha) for name, m in first.modules.items() if name != TEXT}
    )  # type: ignore[union-attr]
    a = tool_file(tmp_path / "a.safetensors", first, ss_unet_lr="0.001")
    b = tool_file(tmp_path / "b.safetensors", twice, ss_unet_lr="0.002")
    result = run_request(capfd, tmp_path, tool="compare", first=a, second=b)
    keys = {row["key"]: (row["first"], row["second"]) for row in result["keys"]}
    assert keys["ss_unet_lr"] == ("0.001", "0.002") and "ss_seed" not in keys
    assert result["onlyFirst"] == [TEXT] and result["onlySecond"] == []
    assert result["cosine"] == pytest.approx(1, abs=1e-6)
    assert result["norms"][1] == pytest.approx(2 * result["norms"][0], rel=1e-6)
    other = tool_file(tmp_path / "c.safetensors", tool_lora(7))
    cosine = run_request(capfd, tmp_path, tool="compare", first=a, second=other)["cosine"]
    one, two = (torch.cat([change_of(read_lora(Path(file)), name).flatten() for name in SHAPES]) for file in (a, other))
    assert cosine == pytest.approx(float(torch.nn.functional.cosine_similarity(one, two, dim=0)), abs=1e-5)
