from pathlib import Path

import pytest
import torch

from tool_files import LINEAR, SHAPES, TEXT, change_of, run_request, tool_file, tool_lora
from trainer.failure import Failure
from trainer.network.lora_weights import LokrModule, LoraModule, LoraWeights
from trainer.network.read_lora import read_lora, read_lora_metadata


def test_a_merge_is_exactly_the_weighted_sum(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loras = [
        tool_lora(1),
        tool_lora(2, dim=3, alpha=3.0, names=(LINEAR, TEXT)),
        tool_lora(3, dim=2, alpha=0.5),
    ]
    weights = [0.7, -0.4, 1.2]
    files = [tool_file(tmp_path / f"{index}.safetensors", lora) for index, lora in enumerate(loras)]
    out = tmp_path / "sum.safetensors"
    run_request(capfd, tmp_path, tool="merge", files=files, weights=weights, out=str(out))
    new = read_lora(out)
    for name in SHAPES:
        parts = [
            change_of(lora, name) * weight for lora, weight in zip(loras, weights, strict=True) if name in lora.modules
        ]
        assert (change_of(new, name) - torch.stack(parts).sum(0)).abs().max() < 1e-4
    assert new.modules[LINEAR].rank == 4 + 3 + 2
    metadata = read_lora_metadata(out)
    assert metadata["ss_training_comment"] == "merged from 0.7 × 0 + -0.4 × 1 + 1.2 × 2; mine"
    assert metadata["modelspec.merged_from"] == "0, 1, 2" and metadata["ss_network_dim"] == "Dynamic"
    assert "ss_epoch" not in metadata and metadata["ss_seed"] == "1"


def test_a_merge_at_a_dim_is_the_nearest_to_the_sum(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loras = [tool_lora(1), tool_lora(2)]
    files = [tool_file(tmp_path / f"{index}.safetensors", lora) for index, lora in enumerate(loras)]
    out = tmp_path / "sum.safetensors"
    result = run_request(
        capfd,
        tmp_path,
        tool="merge",
        files=files,
        weights=[0.5, 0.5],
        out=str(out),
        dim=4,
    )
    new = read_lora(out)
    for name in SHAPES:
        whole = sum((change_of(lora, name) * 0.5 for lora in loras), torch.zeros(SHAPES[name])).flatten(1)
        left, values, right = torch.linalg.svd(whole, full_matrices=False)
        assert (change_of(new, name).flatten(1) - (left[:, :4] * values[:4]) @ right[:4]).abs().max() < 1e-4
        assert (new.modules[name].rank, new.modules[name].scale) == (4, 1.0)
    assert 0 < result["meanEnergyKept"] < 1


def test_what_cannot_be_merged_is_refused_in_a_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    dora = LoraWeights({TEXT: LoraModule(torch.randn(4, 16), torch.randn(24, 4), 2.0, torch.rand(1, 16))})
    other = LoraWeights({TEXT: LoraModule(torch.randn(4, 99), torch.randn(24, 4), 2.0)})
    lokr = LoraWeights({TEXT: LokrModule(1.0, w1=torch.randn(4, 4), w2=torch.randn(6, 4))})
    plain = tool_file(tmp_path / "a.safetensors", tool_lora(1))
    for second, said in (
        (dora, "is a DoRA"),
        (other, "one kind of base model"),
        (lokr, "Expected a dim"),
    ):
        file = tool_file(tmp_path / "b.safetensors", second)
        with pytest.raises(Failure, match=said):
            run_request(
                capfd,
                tmp_path,
                tool="merge",
                files=[plain, file],
                weights=[1, 1],
                out=str(tmp_path / "c.safetensors"),
            )
    assert not (tmp_path / "c.safetensors").exists()
