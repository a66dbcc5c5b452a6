from pathlib import Path

import pytest
import torch
from torch import nn

from trainer.model.clip_text import ClipText
from trainer.model.model_config import TextEncoderConfig, UnetConfig
from trainer.model.unet import Unet
from trainer.network.targets import lora_targets

NAMES = Path(__file__).parents[1] / "kohya_names"
SD1 = UnetConfig(320, (1, 2, 4, 4), 2, (1, 1, 1, 0), 1, context_width=768)
SDXL = UnetConfig(
    320, (1, 2, 4), 2, (0, 2, 10), 10, context_width=2048, heads=None, linear_projections=True, vector_width=2816
)
CLIP_L = TextEncoderConfig(width=768, layers=12, heads=12, inner=3072)
CLIP_G = TextEncoderConfig(width=1280, layers=32, heads=20, inner=5120, projection=1280)


def _kohya_shapes(file: str) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    shapes = {}
    for line in (NAMES / file).read_text().splitlines():
        name, down, up = line.replace("down(", "|").replace("up(", "|").replace(")", "").split("|")
        shapes[name.strip()] = tuple(tuple(int(side) for side in text.split(",")) for text in (down, up))
    return shapes


def _targets(unet: UnetConfig, *texts: TextEncoderConfig, convolutions: bool = False) -> dict[str, nn.Module]:
    with torch.device("meta"):
        return lora_targets(Unet(unet), [ClipText(text) for text in texts], convolutions=convolutions)


def _fits(module: nn.Module, down: tuple[int, ...], up: tuple[int, ...]) -> bool:
    return tuple(module.weight.shape[1:]) == down[1:] and module.weight.shape[0] == up[0]


@pytest.mark.parametrize(
    ("kind", "file", "count"),
    [
        ("sd1", "keys_sd1_lora.txt", 264),
        ("sd1", "keys_sd1_locon.txt", 350),
        ("sdxl", "keys_sdxl_lora.txt", 986),
        ("sdxl", "keys_sdxl_locon.txt", 1052),
    ],
)
def test_the_targets_have_the_names_and_shapes_of_kohyas_files(kind: str, file: str, count: int) -> None:
    expected = _kohya_shapes(file)
    parts = (SD1, CLIP_L) if kind == "sd1" else (SDXL, CLIP_L, CLIP_G)
    targets = _targets(*parts, convolutions="locon" in file)
    assert len(expected) == count
    assert set(targets) == set(expected)
    assert all(_fits(targets[name], *expected[name]) for name in expected)


def test_stable_diffusion_2_has_the_names_of_its_older_sister() -> None:
    sd2 = UnetConfig(320, (1, 2, 4, 4), 2, (1, 1, 1, 0), 1, context_width=1024, heads=None, linear_projections=True)
    text = TextEncoderConfig(width=1024, layers=23, heads=16, inner=4096)
    names = set(_targets(sd2, text))
    assert {name for name in names if name.startswith("lora_unet_")} == {
        name for name in _kohya_shapes("keys_sd1_lora.txt") if name.startswith("lora_unet_")
    }
    assert sum(name.startswith("lora_te_text_model_encoder_layers_") for name in names) == 23 * 6


def test_a_part_that_is_left_alone_has_no_targets() -> None:
    with torch.device("meta"):
        targets = lora_targets(Unet(SD1))
    assert len(targets) == 192
    assert all(name.startswith("lora_unet_") for name in targets)
