from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from trainer.tools.convert import dotted_path
from trainer.tools.known_models import known_layers
from trainer.tools.requests import Verify
from trainer.tools.verify import verify

NAMES = Path(__file__).parents[1] / "kohya_names"


def _names(file: str) -> list[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    found = []
    for line in (NAMES / file).read_text().splitlines():
        name, down, up = line.replace("down(", "|").replace("up(", "|").replace(")", "").split("|")
        first, second = (tuple(int(side) for side in text.split(",")) for text in (down, up))
        found.append((name.strip(), (1, *first[1:]), (second[0], 1, *second[2:])))
    return found


def _file(path: Path, names: str, *, without: str = "") -> Path:
    tensors = {}
    for name, down, up in _names(names):
        if not without or without not in name:
            tensors[f"{name}.lora_down.weight"] = torch.zeros(down, dtype=torch.float16)
            tensors[f"{name}.lora_up.weight"] = torch.zeros(up, dtype=torch.float16)
            tensors[f"{name}.alpha"] = torch.tensor(1.0)
    save_file(tensors, path)
    return path


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ("keys_sd1_locon.txt", "sd1"),
        ("keys_sdxl_lora.txt", "sdxl"),
        ("keys_sdxl_locon.txt", "sdxl"),
    ],
)
def test_every_key_of_kohyas_files_is_matched_everywhere(tmp_path: Path, names: str, kind: str) -> None:
    result = verify(Verify(str(_file(tmp_path / "a.safetensors", names))))
    assert (result["kind"], result["complete"]) == (kind, True)
    assert all(found["matched"] == result["modules"] for found in result["programs"].values())


def test_the_layers_of_the_known_models_are_those_of_kohyas_lists() -> None:
    for kind, names in (("sd1", "keys_sd1_locon.txt"), ("sdxl", "keys_sdxl_locon.txt")):
        assert set(known_layers(kind)) == {name for name, _, _ in _names(names)}
    assert sum(name.startswith("lora_te_") for name in known_layers("sd2")) == 23 * 6


@pytest.mark.parametrize("names", ["keys_sd1_locon.txt", "keys_sdxl_locon.txt"])
def test_every_layer_has_a_path_in_diffusers(names: str) -> None:
    paths = [dotted_path(name) for name, _, _ in _names(names)]
    assert None not in paths and len(set(paths)) == len(paths)
    assert all(path.replace(".", "_") for path in paths if path)


def test_a_lora_of_another_kind_of_model_lists_what_has_no_layer(
    tmp_path: Path,
) -> None:
    path = _file(tmp_path / "a.safetensors", "keys_sd1_lora.txt")
    result = verify(Verify(str(path), kind="sdxl"))
    unmatched = result["programs"]["a1111"]["unmatched"]
    assert "lora_te_text_model_encoder_layers_0_mlp_fc1" in unmatched
    assert "lora_unet_down_blocks_0_attentions_0_proj_in" in unmatched
    assert not result["complete"]


def test_a_base_models_own_header_counts(tmp_path: Path, tiny_checkpoint: Path) -> None:
    path = _file(tmp_path / "a.safetensors", "keys_sd1_lora.txt")
    result = verify(Verify(str(path), base=str(tiny_checkpoint)))
    assert (result["kind"], result["programs"]["forge"]["matched"]) == (
        "sd1",
        0,
    )  # no layer has these widths


def test_pefts_keys_are_read_by_diffusers_alone(tmp_path: Path) -> None:
    path = "unet.down_blocks.0.attentions.0"
    tensors = {}
    for inner, sides in (
        ("transformer_blocks.0.attn1.to_q", (320, 320)),
        ("transformer_blocks.0.ff.net.2", (320, 1280)),
    ):
        tensors[f"{path}.{inner}.lora_A.weight"] = torch.zeros(4, sides[1])
        tensors[f"{path}.{inner}.lora_B.weight"] = torch.zeros(sides[0], 4)
    save_file(tensors, tmp_path / "a.safetensors")
    programs = verify(Verify(str(tmp_path / "a.safetensors"), kind="sd1"))["programs"]
    assert programs["diffusers"]["unmatched"] == []
    assert programs["forge"]["unmatched"] == [f"{path}.transformer_blocks.0.attn1.to_q"]
    assert len(programs["a1111"]["unmatched"]) == 2


def test_what_a_program_cannot_do_with_a_file_is_said(tmp_path: Path) -> None:
    name = "lora_te_text_model_encoder_layers_0_mlp_fc1"
    tensors = {
        f"{name}.lora_A.weight": torch.zeros(4, 768),
        f"{name}.lora_B.weight": torch.zeros(3072, 4),
        f"{name}.dora_scale": torch.ones(3072, 1),
    }
    save_file(tensors, tmp_path / "a.safetensors")
    programs = verify(Verify(str(tmp_path / "a.safetensors")))["programs"]
    said = " ".join(programs["a1111"]["notes"])
    assert "lengths of the inputs" in said and "1.9.0" in said and "1.10.0" in said
    assert programs["diffusers"]["notes"] == ["diffusers does not load DoRA."]
    assert programs["forge"] == {"matched": 1, "unmatched": [], "notes": []}
