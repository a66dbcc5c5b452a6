from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tool_files import CONVOLUTION, LINEAR, SHAPES, TEXT, change_of, run_request, tool_file, tool_lora
from trainer.network.lora_weights import LohaModule, LokrModule, LoraModule, LoraWeights
from trainer.network.read_lora import read_lora, read_lora_metadata
from trainer.tools.resize import dim_by
from trainer.tools.spectrum import spectrum_of


def _kohyas_dim(values: Tensor, rank: int, method: str, target: float) -> int:
    # As networks/resize_lora.py chooses it, over all singular values of the whole matrix.
    if method == "sv_ratio":
        index = int(torch.sum(values > values[0] / target))
    elif method == "sv_fro":
        index = int(torch.searchsorted(values.pow(2).cumsum(0) / values.pow(2).sum(), target**2)) + 1
    else:
        index = int(torch.searchsorted(values.cumsum(0) / values.sum(), target)) + 1
    return min(rank, max(1, min(index, len(values) - 1)) + 1)


@pytest.mark.parametrize("method", ["sv_ratio", "sv_fro", "sv_cumulative"])
@pytest.mark.parametrize("target", [0.5, 0.9, 0.99])
def test_the_dims_of_each_method_are_kohyas(method: str, target: float) -> None:
    target = 1 / (1 - target) if method == "sv_ratio" else target
    for name, module in tool_lora(1, dim=8).modules.items():
        assert isinstance(module, LoraModule)
        whole = torch.linalg.svd(module.change(torch.Size(SHAPES[name])).flatten(1))[1]
        values = spectrum_of(name, module, scaled=False).values
        assert min(6, dim_by(method, values, target, len(whole))) == _kohyas_dim(whole, 6, method, target)


def _resize(capfd: pytest.CaptureFixture[str], folder: Path, weights: LoraWeights, **options: object) -> dict[str, Any]:
    source = tool_file(folder / "a.safetensors", weights)
    return run_request(capfd, folder, tool="resize", file=source, out=str(folder / "b.safetensors"), **options)


def test_resizing_keeps_the_nearest_change_of_the_dim_and_says_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    old = tool_lora(1)
    result = _resize(capfd, tmp_path, old, dim=2, convDim=3)
    new = read_lora(tmp_path / "b.safetensors")
    for name in SHAPES:
        change = change_of(old, name)
        dim = 3 if name == CONVOLUTION else 2
        left, values, right = torch.linalg.svd(change.flatten(1), full_matrices=False)
        nearest = (left[:, :dim] * values[:dim]) @ right[:dim]
        assert (new.modules[name].rank, new.modules[name].scale) == (dim, 0.5)
        assert (change_of(new, name).flatten(1) - nearest).abs().max() < 1e-4
        row = next(row for row in result["modules"] if row["name"] == name)
        assert (row["fromDim"], row["dim"]) == (4, dim)
        assert row["energyKept"] == pytest.approx(float(nearest.norm() / change.norm()), abs=1e-4)
    metadata = read_lora_metadata(tmp_path / "b.safetensors")
    assert metadata["ss_training_comment"] == "dimension is resized from 4 to 2 (conv: 3); mine"
    assert (
        metadata["ss_seed"],
        metadata["ss_network_dim"],
        metadata["ss_output_name"],
    ) == ("1", "2", "b")
    assert metadata["sshs_model_hash"] == result["sshsModelHash"] != "old"


def test_resizing_to_the_same_dim_changes_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    old = tool_lora(1)
    _resize(capfd, tmp_path, old, dim=99)
    new = read_lora(tmp_path / "b.safetensors")
    assert all((change_of(new, name) - change_of(old, name)).abs().max() < 1e-4 for name in SHAPES)
    assert {module.rank for module in new.modules.values()} == {4}


def test_a_layer_that_was_never_changed_gets_one_dim(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    idle = LoraWeights({LINEAR: LoraModule(torch.randn(4, 12), torch.zeros(20, 4), 4.0)})
    result = _resize(capfd, tmp_path, idle, dim=4, method="sv_fro", target=0.9)
    assert (result["modules"][0]["dim"], result["meanEnergyKept"]) == (1, None)


def test_a_loha_becomes_a_lora_and_a_dora_keeps_its_lengths(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loha = LohaModule(
        torch.randn(20, 2),
        torch.randn(2, 108),
        torch.randn(20, 2),
        torch.randn(2, 108),
        1.0,
    )
    lokr = LokrModule(1.0, w1=torch.randn(4, 4), w2=torch.randn(5, 3))
    dora = LoraModule(torch.randn(4, 16), torch.randn(24, 4), 2.0, torch.rand(1, 16))
    weights = LoraWeights({CONVOLUTION: loha, LINEAR: lokr, TEXT: dora})
    _resize(capfd, tmp_path, weights, dim=12)
    new = read_lora(tmp_path / "b.safetensors").modules
    assert all(isinstance(module, LoraModule) for module in new.values())
    change = loha.change(torch.Size(SHAPES[CONVOLUTION]))
    assert new[CONVOLUTION].tensors()["lora_down.weight"].shape == (12, 12, 3, 3)
    assert (new[CONVOLUTION].change(change.shape) - change).abs().max() < 1e-3
    assert (new[LINEAR].change(torch.Size((20, 12))) - lokr.change(torch.Size((20, 12)))).abs().max() < 1e-4
    assert torch.equal(new[TEXT].dora_scale, dora.dora_scale)  # type: ignore[arg-type]
