from pathlib import Path

import pytest
import torch
from torch import nn

from some_settings import some_settings
from trainer.failure import Failure
from trainer.network.lora_file import lora_tensors
from trainer.network.lora_weights import LoraWeights
from trainer.network.module_blocks import BlockValues, block_group, block_index
from trainer.network.module_spec import module_specs
from trainer.network.network_layout import layout_for, module_of

NAMES = Path(__file__).parents[1] / "kohya_names"
Shapes = tuple[tuple[int, ...], tuple[int, ...]]


def _kohya_file(file: str) -> dict[str, Shapes]:
    shapes: dict[str, Shapes] = {}
    for line in (NAMES / file).read_text().splitlines():
        name, down, up = line.replace("down(", "|").replace("up(", "|").replace(")", "").split("|")
        first, second = (tuple(int(side) for side in text.split(",")) for text in (down, up))
        shapes[name.strip()] = (first, second)
    return shapes


def _targets(shapes: dict[str, Shapes]) -> dict[str, nn.Module]:
    with torch.device("meta"):
        return {name: _layer(down, up) for name, (down, up) in shapes.items()}


def _layer(down: tuple[int, ...], up: tuple[int, ...]) -> nn.Module:
    return nn.Linear(down[1], up[0]) if len(down) == 2 else nn.Conv2d(down[1], up[0], down[2], padding=down[2] // 2)


@pytest.mark.parametrize("file", ["keys_sd1_lora.txt", "keys_sd1_locon.txt"])
def test_a_file_has_kohyas_keys_shapes_and_types(file: str) -> None:
    expected = _kohya_file(file)
    targets = _targets(expected)
    conv = {"network_type": "locon", "conv_dim": 8, "conv_alpha": 4.0} if "locon" in file else {}
    specs = module_specs(targets, some_settings(**conv))
    assert specs.keys() == expected.keys()
    weights = {}
    for name, spec in specs.items():
        layout = layout_for(spec, targets[name].weight)
        weights[name] = module_of(
            layout, {p.role: torch.zeros(p.shape) for p in layout.parts}, targets[name].weight.ndim
        )
    tensors = lora_tensors(LoraWeights(weights), "fp16")
    assert len(tensors) == 3 * len(expected)
    for name, (down, up) in expected.items():
        assert tensors[f"{name}.lora_down.weight"].shape == down and tensors[f"{name}.lora_up.weight"].shape == up
        assert tensors[f"{name}.alpha"].shape == () and float(tensors[f"{name}.alpha"]) in (1.0, 4.0)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}


def test_convolutions_without_a_conv_dim_are_left_alone() -> None:
    targets = _targets(_kohya_file("keys_sd1_locon.txt"))
    specs = module_specs(targets, some_settings())
    assert not any("_conv1" in name or "samplers" in name for name in specs)
    assert any("conv_shortcut" in name for name in specs) and any("time_emb_proj" in name for name in specs)


def test_each_block_has_its_dim_and_alpha_and_a_dim_of_0_leaves_it_alone() -> None:
    targets = _targets(_kohya_file("keys_sd1_lora.txt"))
    dims = [index % 5 for index in range(25)]
    alphas = [index / 2 for index in range(25)]
    specs = module_specs(
        targets,
        some_settings(block_dims=",".join(map(str, dims)), block_alphas=", ".join(map(str, alphas))),
    )
    for name in targets:
        index = block_index(name)
        if index is None:
            assert (specs[name].dim, specs[name].alpha) == (16, 1.0)
        elif dims[index] == 0:
            assert name not in specs
        else:
            assert (specs[name].dim, specs[name].alpha) == (dims[index], alphas[index])


def test_groups_of_blocks_may_be_named() -> None:
    targets = _targets(_kohya_file("keys_sd1_locon.txt"))
    specs = module_specs(targets, some_settings(block_dims="down=8 te=4, mid=0", block_alphas="up=3", conv_dim=2))
    assert {spec.dim for name, spec in specs.items() if block_group(name) == "te"} == {4}
    assert {spec.dim for name, spec in specs.items() if block_group(name) == "down"} == {8, 2}
    assert {spec.dim for name, spec in specs.items() if block_group(name) == "mid"} == {2}
    assert {(spec.dim, spec.alpha) for name, spec in specs.items() if block_group(name) == "up"} == {
        (16, 3.0),
        (2, 1.0),
    }


@pytest.mark.parametrize(
    ("name", "index", "group"),
    [
        ("lora_unet_down_blocks_0_attentions_0_proj_in", 1, "down"),
        ("lora_unet_down_blocks_0_downsamplers_0_conv", 3, "down"),
        ("lora_unet_down_blocks_3_resnets_1_conv1", 11, "down"),
        ("lora_unet_mid_block_attentions_0_proj_in", 12, "mid"),
        ("lora_unet_up_blocks_0_resnets_0_conv1", 13, "up"),
        ("lora_unet_up_blocks_1_attentions_2_transformer_blocks_0_attn2_to_k", 18, "up"),
        ("lora_unet_up_blocks_0_upsamplers_0_conv", 15, "up"),
        ("lora_unet_up_blocks_3_attentions_2_proj_out", 24, "up"),
        ("lora_unet_input_blocks_8_1_proj_in", 9, "down"),
        ("lora_unet_middle_block_1_proj_in", 11, "mid"),
        ("lora_unet_middle_block_2_in_layers_2", 12, "mid"),
        ("lora_unet_output_blocks_0_1_proj_in", 13, "up"),
        ("lora_unet_output_blocks_8_0_skip_connection", 21, "up"),
        ("lora_te_text_model_encoder_layers_0_mlp_fc1", None, "te"),
        ("lora_te2_text_model_encoder_layers_31_mlp_fc1", None, "te"),
    ],
)
def test_blocks_are_numbered_as_kohya_numbers_them(name: str, index: int | None, group: str) -> None:
    assert (block_index(name), block_group(name)) == (index, group)


@pytest.mark.parametrize(
    ("text", "said"),
    [("1,2,3", "found 3"), ("left=4", "'left'"), ("down=four", "'four'"), ("1 x 2", "'x'"), ("down=-3", "'-3'")],
)
def test_blocks_that_make_no_sense_are_refused(text: str, said: str) -> None:
    with pytest.raises(Failure, match=said) as caught:
        BlockValues.parse(text, 16)
    assert caught.value.code == "bad_plan"


def test_lokr_and_loha_take_their_ownsome_settings() -> None:
    targets = _targets(_kohya_file("keys_sd1_lora.txt"))
    specs = module_specs(targets, some_settings(network_type="lokr", lokr_factor=8, decompose_both=True))
    assert {(spec.kind, spec.factor, spec.decompose_both) for spec in specs.values()} == {("lokr", 8, True)}
    layout = layout_for(
        specs["lora_te_text_model_encoder_layers_0_mlp_fc1"], nn.Linear(768, 3072, device="meta").weight
    )
    assert {part.role: part.shape for part in layout.parts} == {
        "lokr_w1": (8, 8),
        "lokr_w2_a": (384, 16),
        "lokr_w2_b": (16, 96),
    }
