from pathlib import Path

import pytest
import torch

from trainer.network.lora_names import diffusers_name, named_for, original_name
from trainer.network.lora_weights import LoraModule, LoraWeights

NAMES = Path(__file__).parents[1] / "kohya_names"
MODULE = LoraModule(torch.zeros(1, 2), torch.zeros(3, 1), 1.0)


def _names(file: str) -> list[str]:
    return [line.split()[0] for line in (NAMES / file).read_text().splitlines()]


@pytest.mark.parametrize(("file", "xl"), [("keys_sd1_locon.txt", False), ("keys_sdxl_locon.txt", True)])
def test_every_name_of_a_file_goes_to_the_other_blocks_and_back(file: str, xl: bool) -> None:
    names = _names(file)
    originals = {original_name(name, xl=xl) for name in names}
    common = {diffusers_name(name) for name in originals}
    assert len(originals) == len(common) == len(names)
    assert not any("down_blocks" in name or "up_blocks" in name or "mid_block" in name for name in originals)
    assert not any("put_blocks" in name or "middle_block" in name for name in common)
    assert {original_name(name, xl=xl) for name in common} == originals
    assert set(names) == (originals if xl else common)


@pytest.mark.parametrize(
    ("name", "common"),
    [
        ("lora_unet_input_blocks_4_1_proj_in", "lora_unet_down_blocks_1_attentions_0_proj_in"),
        ("lora_unet_input_blocks_8_0_in_layers_2", "lora_unet_down_blocks_2_resnets_1_conv1"),
        ("lora_unet_input_blocks_3_0_op", "lora_unet_down_blocks_0_downsamplers_0_conv"),
        ("lora_unet_middle_block_1_proj_out", "lora_unet_mid_block_attentions_0_proj_out"),
        ("lora_unet_middle_block_2_emb_layers_1", "lora_unet_mid_block_resnets_1_time_emb_proj"),
        ("lora_unet_output_blocks_5_2_conv", "lora_unet_up_blocks_1_upsamplers_0_conv"),
        ("lora_unet_output_blocks_2_1_conv", "lora_unet_up_blocks_0_upsamplers_0_conv"),
        ("lora_unet_output_blocks_8_0_skip_connection", "lora_unet_up_blocks_2_resnets_2_conv_shortcut"),
        ("lora_te_text_model_encoder_layers_0_mlp_fc1", "lora_te_text_model_encoder_layers_0_mlp_fc1"),
    ],
)
def test_a_block_has_the_place_that_diffusers_gives_it(name: str, common: str) -> None:
    assert diffusers_name(name) == common


def test_a_files_modules_get_the_targets_names_and_strangers_keep_theirs() -> None:
    weights = LoraWeights(
        dict.fromkeys(["lora_unet_down_blocks_1_attentions_0_proj_in", "lora_te_a", "lora_unet_x"], MODULE)
    )
    named = named_for(weights, ["lora_unet_input_blocks_4_1_proj_in", "lora_te1_a"])
    assert list(named.modules) == ["lora_unet_input_blocks_4_1_proj_in", "lora_te1_a", "lora_unet_x"]
