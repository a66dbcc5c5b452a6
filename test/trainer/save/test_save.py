"""LoRA files: complete, never over another one, in kohya's format."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save

from trainer.failure import NonFiniteError
from trainer.network.lora_file import lora_bytes, lora_tensors
from trainer.network.lora_weights import LoraModule, LoraWeights
from trainer.network.read_lora import read_lora
from trainer.save.save import save_lora, write_card

FACTS = {
    "ss_session_id": "7",
    "ss_epoch": "1",
    "ss_steps": "10",
    "modelspec.title": "x",
    "ss_tag_frequency": '{"é": 1}',
}


def _weights(value: float = 1.0, width: int = 8) -> LoraWeights:
    conv = LoraModule(torch.full((4, width, 1, 1), value), torch.zeros(6, 4, 1, 1), 2.0)
    return LoraWeights({"lora_unet_a": conv, "lora_te_b": LoraModule(torch.ones(4, 8), torch.zeros(6, 4), 2.0)})


def _save(folder: Path, value: float = 1.0, precision: str = "fp16", **facts: str) -> str:
    metadata = {**FACTS, **facts}
    return save_lora(_weights(value), metadata, folder=folder, file="a.safetensors", precision=precision).file


def test_a_saved_lora_is_read_back_with_kohyas_keys_alpha_and_precision(tmp_path: Path) -> None:
    _save(tmp_path, precision="bf16")
    with safe_open(tmp_path / "a.safetensors", framework="pt") as file:
        keys = sorted(file.keys())
        assert keys == [
            f"lora_{n}.{s}" for n in ("te_b", "unet_a") for s in ("alpha", "lora_down.weight", "lora_up.weight")
        ]
        assert {file.get_tensor(key).dtype for key in keys} == {torch.bfloat16}
        assert file.get_tensor("lora_te_b.alpha").ndim == 0
        assert file.metadata()["ss_output_name"] == "a" and file.metadata()["ss_tag_frequency"] == '{"é": 1}'
    module = read_lora(tmp_path / "a.safetensors").modules["lora_unet_a"]
    assert module.alpha == 2.0 and torch.equal(module.down.float(), torch.ones(4, 8, 1, 1))


def test_the_hashes_are_those_that_webuis_compute_themselves() -> None:
    content = lora_bytes(lora_tensors(_weights(width=40_000), "float"), FACTS)
    header = json.loads(content.header[8:])
    kohya = save(lora_tensors(_weights(width=40_000), "float"), {k: v for k, v in FACTS.items() if k.startswith("ss_")})
    start = 8 + int.from_bytes(kohya[:8], "little")
    assert (
        content.sshs_model_hash
        == hashlib.sha256(kohya[start:]).hexdigest()
        == header["__metadata__"]["sshs_model_hash"]
    )
    assert header["__metadata__"]["sshs_legacy_hash"] == hashlib.sha256(kohya[0x100000:0x110000]).hexdigest()[:8]
    assert content.header[8:10] == b'{"' and len(content.header) % 8 == 0
    small = lora_bytes(lora_tensors(_weights(), "fp16"), FACTS)
    assert json.loads(small.header[8:])["__metadata__"]["sshs_legacy_hash"] == "e3b0c442"


def test_a_foreign_file_of_the_same_name_is_never_touched(tmp_path: Path) -> None:
    foreign = tmp_path / "a.safetensors"
    foreign.write_bytes(b"somebody's work")
    assert _save(tmp_path) == "a-2.safetensors"
    assert _save(tmp_path, ss_session_id="8") == "a-3.safetensors"
    assert foreign.read_bytes() == b"somebody's work"
    with safe_open(tmp_path / "a-2.safetensors", framework="pt") as file:
        assert file.metadata()["ss_output_name"] == "a-2" == file.metadata()["modelspec.title"]


def test_the_very_same_epoch_is_not_written_twice(tmp_path: Path) -> None:
    assert _save(tmp_path) == "a.safetensors"
    before = (tmp_path / "a.safetensors").stat()
    assert _save(tmp_path, value=2.0) == "a.safetensors"
    assert (tmp_path / "a.safetensors").stat() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.safetensors"]


def test_numbers_that_do_not_fit_are_not_saved(tmp_path: Path) -> None:
    for value, precision in ((float("nan"), "float"), (1e5, "fp16")):
        with pytest.raises(NonFiniteError):
            _save(tmp_path, value=value, precision=precision)
    assert not list(tmp_path.iterdir())


def test_the_card_holds_what_the_webui_reads_and_an_edited_one_stays(tmp_path: Path) -> None:
    lora = tmp_path / "a.safetensors"
    write_card(lora, description="d", trigger_word="zorp", notes="n")
    card = json.loads((tmp_path / "a.json").read_text())
    assert card["activation text"] == "zorp" and card["sd version"] == "SD1" and card["preferred weight"] == 0.8
    (tmp_path / "a.json").write_text("{}")
    write_card(lora, description="d", trigger_word="zorp", notes="n")
    assert (tmp_path / "a.json").read_text() == "{}"
