from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from trainer.targets import lora_targets

NAMES = Path(__file__).parent / "kohya_names"


def _kohya_shapes(file: str) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    shapes = {}
    for line in (NAMES / file).read_text().splitlines():
        name, down, up = line.replace("down(", "|").replace("up(", "|").replace(")", "").split("|")
        shapes[name.strip()] = tuple(tuple(int(side) for side in text.split(",")) for text in (down, up))
    return shapes


def _sd1_targets(convolutions: bool) -> dict[str, nn.Module]:
    with torch.device("meta"):
        unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
        text_encoder = CLIPTextModel(
            CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)
        )
    return lora_targets(unet, text_encoder, convolutions=convolutions)


def _fits(module: nn.Module, down: tuple[int, ...], up: tuple[int, ...]) -> bool:
    return tuple(module.weight.shape[1:]) == down[1:] and module.weight.shape[0] == up[0]


def test_the_264_targets_of_a_stable_diffusion_1_model_have_the_names_and_shapes_of_kohyas_files() -> None:
    expected = _kohya_shapes("keys_sd1_lora.txt")
    targets = _sd1_targets(convolutions=False)
    assert len(expected) == 264
    assert set(targets) == set(expected)
    assert all(_fits(targets[name], *expected[name]) for name in expected)


def test_with_convolutions_the_targets_are_the_350_of_a_locon_file() -> None:
    expected = _kohya_shapes("keys_sd1_locon.txt")
    targets = _sd1_targets(convolutions=True)
    assert len(expected) == 350
    assert set(targets) == set(expected)
    assert all(_fits(targets[name], *expected[name]) for name in expected)


def test_a_part_that_is_left_alone_has_no_targets() -> None:
    with torch.device("meta"):
        unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
    targets = lora_targets(unet, None)
    assert len(targets) == 192
    assert all(name.startswith("lora_unet_") for name in targets)
