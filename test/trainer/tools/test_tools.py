"""What is done with LoRA files after a run, from the request to the file that lies there."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from jsonschema import Draft202012Validator
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from naive_networks import naive_weight
from trainer.failure import Failure
from trainer.lora_file import lora_bytes, lora_tensors
from trainer.lora_weights import (
    LohaModule,
    LokrModule,
    LoraModule,
    LoraWeights,
    NetworkModule,
)
from trainer.read_lora import read_lora, read_lora_metadata
from trainer.tools.requests import tool_request
from trainer.tools.resize import dim_by
from trainer.tools.run_tool import run_tool
from trainer.tools.spectrum import spectrum_of

_SCHEMA = json.loads((Path(__file__).parents[3] / "protocol" / "schema.json").read_text(encoding="utf-8"))
_RESULT = Draft202012Validator({"$ref": "#/$defs/LoraToolResult", "$defs": _SCHEMA["$defs"]})

LINEAR = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
PROJECTION = "lora_unet_down_blocks_0_attentions_0_proj_in"
CONVOLUTION = "lora_unet_down_blocks_0_resnets_0_conv1"
TEXT = "lora_te_text_model_encoder_layers_0_mlp_fc1"
SHAPES = {
    LINEAR: (20, 12),
    PROJECTION: (20, 12, 1, 1),
    CONVOLUTION: (20, 12, 3, 3),
    TEXT: (24, 16),
}
METADATA = {
    "ss_epoch": "3",
    "ss_network_dim": "4",
    "ss_training_comment": "mine",
    "ss_seed": "1",
    "sshs_model_hash": "old",
}


def _lora(seed: int, dim: int = 4, alpha: float = 2.0, names: tuple[str, ...] = tuple(SHAPES)) -> LoraWeights:
    source = torch.Generator().manual_seed(seed)
    modules: dict[str, NetworkModule] = {}
    for name in names:
        out, inside, *kernel = SHAPES[name]
        down = torch.randn(dim, inside, *kernel, generator=source)
        up = torch.randn(out, dim, *(1 for _ in kernel), generator=source)
        modules[name] = LoraModule(down, up, alpha)
    return LoraWeights(modules)


def _file(path: Path, weights: LoraWeights, precision: str = "float", **metadata: str) -> str:
    content = lora_bytes(lora_tensors(weights, precision), {**METADATA, **metadata})
    path.write_bytes(content.header + content.block)
    return str(path)


def _run(capfd: pytest.CaptureFixture[str], folder: Path, **request: Any) -> dict[str, Any]:  # noqa: ANN401
    file = folder / "request.json"
    file.write_text(json.dumps(request))
    capfd.readouterr()
    run_tool(str(file))
    result: dict[str, Any] = json.loads(capfd.readouterr().out)
    _RESULT.validate({**result, "tool": request["tool"]})
    return result


def _change(weights: LoraWeights, name: str) -> Tensor:
    module = weights.modules[name]
    assert not isinstance(module, LokrModule)
    return naive_weight(torch.zeros(SHAPES[name]), module.tensors(), module.scale)


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
    for name, module in _lora(1, dim=8).modules.items():
        assert isinstance(module, LoraModule)
        whole = torch.linalg.svd(module.change(torch.Size(SHAPES[name])).flatten(1))[1]
        values = spectrum_of(name, module, scaled=False).values
        assert min(6, dim_by(method, values, target, len(whole))) == _kohyas_dim(whole, 6, method, target)


def test_resizing_keeps_the_nearest_change_of_the_dim_and_says_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    old = _lora(1)
    source = _file(tmp_path / "a.safetensors", old)
    result = _run(
        capfd,
        tmp_path,
        tool="resize",
        file=source,
        out=str(tmp_path / "b.safetensors"),
        dim=2,
        convDim=3,
    )
    new = read_lora(tmp_path / "b.safetensors")
    for name in SHAPES:
        change = _change(old, name)
        dim = 3 if name == CONVOLUTION else 2
        left, values, right = torch.linalg.svd(change.flatten(1), full_matrices=False)
        nearest = (left[:, :dim] * values[:dim]) @ right[:dim]
        assert (new.modules[name].rank, new.modules[name].scale) == (dim, 0.5)
        assert (_change(new, name).flatten(1) - nearest).abs().max() < 1e-4
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
    old = _lora(1)
    source = _file(tmp_path / "a.safetensors", old)
    _run(
        capfd,
        tmp_path,
        tool="resize",
        file=source,
        out=str(tmp_path / "b.safetensors"),
        dim=99,
    )
    new = read_lora(tmp_path / "b.safetensors")
    assert all((_change(new, name) - _change(old, name)).abs().max() < 1e-4 for name in SHAPES)
    assert {module.rank for module in new.modules.values()} == {4}


def test_a_layer_that_was_never_changed_gets_one_dim(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    idle = LoraWeights({LINEAR: LoraModule(torch.randn(4, 12), torch.zeros(20, 4), 4.0)})
    source = _file(tmp_path / "a.safetensors", idle)
    out = str(tmp_path / "b.safetensors")
    result = _run(
        capfd,
        tmp_path,
        tool="resize",
        file=source,
        out=out,
        dim=4,
        method="sv_fro",
        target=0.9,
    )
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
    source = _file(tmp_path / "a.safetensors", weights)
    _run(
        capfd,
        tmp_path,
        tool="resize",
        file=source,
        out=str(tmp_path / "b.safetensors"),
        dim=12,
    )
    new = read_lora(tmp_path / "b.safetensors").modules
    assert all(isinstance(module, LoraModule) for module in new.values())
    change = loha.change(torch.Size(SHAPES[CONVOLUTION]))
    assert new[CONVOLUTION].tensors()["lora_down.weight"].shape == (12, 12, 3, 3)
    assert (new[CONVOLUTION].change(change.shape) - change).abs().max() < 1e-3
    assert (new[LINEAR].change(torch.Size((20, 12))) - lokr.change(torch.Size((20, 12)))).abs().max() < 1e-4
    assert torch.equal(new[TEXT].dora_scale, dora.dora_scale)  # type: ignore[arg-type]


def test_a_merge_is_exactly_the_weighted_sum(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loras = [
        _lora(1),
        _lora(2, dim=3, alpha=3.0, names=(LINEAR, TEXT)),
        _lora(3, dim=2, alpha=0.5),
    ]
    weights = [0.7, -0.4, 1.2]
    files = [_file(tmp_path / f"{index}.safetensors", lora) for index, lora in enumerate(loras)]
    out = tmp_path / "sum.safetensors"
    _run(capfd, tmp_path, tool="merge", files=files, weights=weights, out=str(out))
    new = read_lora(out)
    for name in SHAPES:
        parts = [
            _change(lora, name) * weight for lora, weight in zip(loras, weights, strict=True) if name in lora.modules
        ]
        assert (_change(new, name) - torch.stack(parts).sum(0)).abs().max() < 1e-4
    assert new.modules[LINEAR].rank == 4 + 3 + 2
    metadata = read_lora_metadata(out)
    assert metadata["ss_training_comment"] == "merged from 0.7 × 0 + -0.4 × 1 + 1.2 × 2; mine"
    assert metadata["modelspec.merged_from"] == "0, 1, 2" and metadata["ss_network_dim"] == "Dynamic"
    assert "ss_epoch" not in metadata and metadata["ss_seed"] == "1"


def test_a_merge_at_a_dim_is_the_nearest_to_the_sum(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loras = [_lora(1), _lora(2)]
    files = [_file(tmp_path / f"{index}.safetensors", lora) for index, lora in enumerate(loras)]
    out = tmp_path / "sum.safetensors"
    result = _run(
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
        whole = sum((_change(lora, name) * 0.5 for lora in loras), torch.zeros(SHAPES[name])).flatten(1)
        left, values, right = torch.linalg.svd(whole, full_matrices=False)
        assert (_change(new, name).flatten(1) - (left[:, :4] * values[:4]) @ right[:4]).abs().max() < 1e-4
        assert (new.modules[name].rank, new.modules[name].scale) == (4, 1.0)
    assert 0 < result["meanEnergyKept"] < 1


def test_what_cannot_be_merged_is_refused_in_a_sentence(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    dora = LoraWeights({TEXT: LoraModule(torch.randn(4, 16), torch.randn(24, 4), 2.0, torch.rand(1, 16))})
    other = LoraWeights({TEXT: LoraModule(torch.randn(4, 99), torch.randn(24, 4), 2.0)})
    lokr = LoraWeights({TEXT: LokrModule(1.0, w1=torch.randn(4, 4), w2=torch.randn(6, 4))})
    plain = _file(tmp_path / "a.safetensors", _lora(1))
    for second, said in (
        (dora, "is a DoRA"),
        (other, "one kind of base model"),
        (lokr, "Expected a dim"),
    ):
        file = _file(tmp_path / "b.safetensors", second)
        with pytest.raises(Failure, match=said):
            _run(
                capfd,
                tmp_path,
                tool="merge",
                files=[plain, file],
                weights=[1, 1],
                out=str(tmp_path / "c.safetensors"),
            )
    assert not (tmp_path / "c.safetensors").exists()


def test_no_file_is_ever_written_over(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = _file(tmp_path / "a.safetensors", _lora(1))
    before = Path(source).read_bytes()
    for request in (
        {"tool": "resize", "file": source, "dim": 2},
        {"tool": "merge", "files": [source], "weights": [1]},
        {"tool": "convert", "file": source, "style": "peft"},
    ):
        with pytest.raises(Failure, match="which stays"):
            _run(capfd, tmp_path, **request, out=source)
    assert Path(source).read_bytes() == before


def test_inspection_finds_norms_and_ranks(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    # Singular values 3, 2, 1 of an alpha that halves them.
    basis = torch.linalg.qr(torch.randn(20, 3))[0]
    down = torch.linalg.qr(torch.randn(12, 3))[0].T
    weights = LoraWeights({LINEAR: LoraModule(down, basis * torch.tensor([3.0, 2.0, 1.0]), 1.5)})
    result = _run(
        capfd,
        tmp_path,
        tool="inspect",
        file=_file(tmp_path / "a.safetensors", weights, "float"),
    )
    row = result["modules"][0]
    shares = torch.tensor([3.0, 2.0, 1.0]) / 6
    assert row["norm"] == pytest.approx(math.sqrt(14) / 2, abs=1e-5)
    assert row["stableRank"] == pytest.approx(14 / 9, abs=1e-4)
    assert row["effectiveRank"] == pytest.approx(float(torch.exp(-(shares * shares.log()).sum())), abs=1e-4)
    assert (row["dim90"], row["dim99"], row["dim"]) == (2, 3, 3)
    assert result["norms"] == {"down": pytest.approx(math.sqrt(14) / 2, abs=1e-5)}


def test_comparison_lists_differing_keys_and_the_angle(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first = _lora(1)
    twice = LoraWeights(
        {name: LoraModule(m.down, m.up * 2, m.alpha) for name, m in first.modules.items() if name != TEXT}
    )  # type: ignore[union-attr]
    a = _file(tmp_path / "a.safetensors", first, ss_unet_lr="0.001")
    b = _file(tmp_path / "b.safetensors", twice, ss_unet_lr="0.002")
    result = _run(capfd, tmp_path, tool="compare", first=a, second=b)
    keys = {row["key"]: (row["first"], row["second"]) for row in result["keys"]}
    assert keys["ss_unet_lr"] == ("0.001", "0.002") and "ss_seed" not in keys
    assert result["onlyFirst"] == [TEXT] and result["onlySecond"] == []
    assert result["cosine"] == pytest.approx(1, abs=1e-6)
    assert result["norms"][1] == pytest.approx(2 * result["norms"][0], rel=1e-6)
    other = _file(tmp_path / "c.safetensors", _lora(7))
    cosine = _run(capfd, tmp_path, tool="compare", first=a, second=other)["cosine"]
    one, two = (torch.cat([_change(read_lora(Path(file)), name).flatten() for name in SHAPES]) for file in (a, other))
    assert cosine == pytest.approx(float(torch.nn.functional.cosine_similarity(one, two, dim=0)), abs=1e-5)


def test_conversion_to_pefts_keys_and_back_gives_the_same_change(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    old = _lora(1)
    source = _file(tmp_path / "a.safetensors", old)
    peft, back = tmp_path / "peft.safetensors", tmp_path / "back.safetensors"
    _run(capfd, tmp_path, tool="convert", file=source, out=str(peft), style="peft")
    assert set(load_file(peft)) == {
        f"{path}.lora_{half}.weight"
        for half in "AB"
        for path in (
            "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
            "unet.down_blocks.0.attentions.0.proj_in",
            "unet.down_blocks.0.resnets.0.conv1",
            "text_encoder.text_model.encoder.layers.0.mlp.fc1",
        )
    }
    _run(capfd, tmp_path, tool="convert", file=str(peft), out=str(back), style="kohya")
    new = read_lora(back)
    assert all((_change(new, name) - _change(old, name)).abs().max() < 1e-4 for name in SHAPES)
    with safe_open(back, framework="pt") as file:
        assert file.metadata()["ss_training_comment"].startswith("converted to kohya's keys; converted to diffusers'")


def test_a_kind_that_diffusers_cannot_spell_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    loha = LohaModule(
        torch.randn(24, 2),
        torch.randn(2, 16),
        torch.randn(24, 2),
        torch.randn(2, 16),
        1.0,
    )
    source = _file(tmp_path / "a.safetensors", LoraWeights({TEXT: loha}))
    with pytest.raises(Failure, match="has a LoHa"):
        _run(
            capfd,
            tmp_path,
            tool="convert",
            file=source,
            out=str(tmp_path / "b.safetensors"),
            style="peft",
        )


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({}, "a tool of"),
        ({"tool": "resize", "file": "a", "out": "b"}, "a value at dim"),
        ({"tool": "resize", "file": "a", "out": "b", "dim": 0}, "a dim of at least 1"),
        (
            {"tool": "resize", "file": "a", "out": "b", "dim": 4, "method": "sv_fro"},
            "a target above 0",
        ),
        (
            {
                "tool": "resize",
                "file": "a",
                "out": "b",
                "dim": 4,
                "method": "sv_fro",
                "target": 3,
            },
            "0 to 1",
        ),
        (
            {"tool": "merge", "files": ["a"], "weights": [], "out": "b"},
            "a weight for each",
        ),
        ({"tool": "convert", "file": "a", "out": "b", "style": "odd"}, "a style of"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(request_: dict[str, Any], said: str) -> None:
    with pytest.raises(Failure, match=said) as caught:
        tool_request(request_)
    assert caught.value.code == "bad_request"
