from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from trainer.failure import Failure
from trainer.network.lora_file import lora_bytes, lora_tensors
from trainer.network.lora_weights import LohaModule, LokrModule, LoraModule, LoraWeights
from trainer.network.read_lora import read_lora, read_lora_metadata

NAME = "lora_unet_mid_block_attentions_0_proj_in"
TEXT = "lora_te_text_model_encoder_layers_0_mlp_fc1"


def _file(folder: Path, tensors: dict[str, Tensor]) -> Path:
    path = folder / "some.safetensors"
    save_file(tensors, path)
    return path


def _pair(rank: int = 4) -> tuple[Tensor, Tensor]:
    return torch.randn(rank, 6), torch.randn(8, rank)


def test_a_file_of_the_trainer_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    down, up = _pair()
    weights = LoraWeights({NAME: LoraModule(down[:, :, None, None], up[:, :, None, None], alpha=2.0)})
    saved = lora_bytes(lora_tensors(weights, "float"), {"ss_output_name": "some"})
    path = tmp_path / "some.safetensors"
    path.write_bytes(saved.header + saved.block)
    module = read_lora(path).modules[NAME]
    assert torch.equal(module.down[:, :, 0, 0], down) and torch.equal(module.up[:, :, 0, 0], up)
    assert (module.alpha, module.rank, module.scale) == (2.0, 4, 0.5)
    assert read_lora_metadata(path)["sshs_model_hash"] == saved.sshs_model_hash


def test_a_missing_alpha_means_the_rank(tmp_path: Path) -> None:
    down, up = _pair(rank=4)
    path = _file(tmp_path, {f"{NAME}.lora_down.weight": down, f"{NAME}.lora_up.weight": up})
    assert read_lora(path).modules[NAME].scale == 1


@pytest.mark.parametrize(
    ("down_key", "up_key", "name"),
    [
        (f"{TEXT}.lora_A.weight", f"{TEXT}.lora_B.weight", TEXT),
        (
            "unet.mid_block.attentions.0.proj_in.lora_A.weight",
            "unet.mid_block.attentions.0.proj_in.lora_B.weight",
            NAME,
        ),
        (
            "text_encoder.text_model.encoder.layers.0.mlp.fc1.lora_A.weight",
            "text_encoder.text_model.encoder.layers.0.mlp.fc1.lora_B.weight",
            TEXT,
        ),
        (
            "unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora.down.weight",
            "unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora.up.weight",
            "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_out_0",
        ),
        (
            "unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.down.weight",
            "unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora.up.weight",
            "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q",
        ),
    ],
)
def test_other_spellings_get_kohyas_names(tmp_path: Path, down_key: str, up_key: str, name: str) -> None:
    down, up = _pair()
    modules = read_lora(_file(tmp_path, {down_key: down, up_key: up})).modules
    assert list(modules) == [name]
    assert torch.equal(modules[name].down, down) and torch.equal(modules[name].up, up)


def test_a_tucker_kernel_becomes_one_convolution_towards_the_rank(tmp_path: Path) -> None:
    down, mid, up = torch.randn(4, 6, 1, 1), torch.randn(4, 4, 3, 3), torch.randn(8, 4, 1, 1)
    path = _file(
        tmp_path,
        {f"{NAME}.lora_down.weight": down, f"{NAME}.lora_mid.weight": mid, f"{NAME}.lora_up.weight": up},
    )
    x = torch.randn(1, 6, 5, 5)
    module = read_lora(path).modules[NAME]
    expected = torch.conv2d(torch.conv2d(x, down), mid)
    assert torch.allclose(torch.conv2d(x, module.down), expected, atol=1e-4)


@pytest.mark.parametrize(
    "module",
    [
        LoraModule(torch.randn(4, 6, 3, 3), torch.randn(8, 4, 1, 1), 2.0),
        LoraModule(torch.randn(4, 6), torch.randn(8, 4), 2.0, torch.rand(1, 6)),
        LohaModule(torch.randn(8, 4), torch.randn(4, 54), torch.randn(8, 4), torch.randn(4, 54), 2.0),
        LokrModule(3.0, w1=torch.randn(2, 2), w2=torch.randn(4, 3)),
        LokrModule(3.0, w1=torch.randn(2, 2), w2_a=torch.randn(4, 1), w2_b=torch.randn(1, 27)),
        LokrModule(3.0, w1_a=torch.randn(2, 1), w1_b=torch.randn(1, 2), w2_a=torch.randn(4, 1), w2_b=torch.randn(1, 3)),
    ],
    ids=["LoCon", "DoRA", "LoHa", "whole LoKr", "LoKr of a convolution", "LoKr of four"],
)
def test_each_kind_is_read_back_as_it_was_written(tmp_path: Path, module: LoraModule | LohaModule | LokrModule) -> None:
    saved = lora_bytes(lora_tensors(LoraWeights({NAME: module}), "float"), {})
    path = tmp_path / "some.safetensors"
    path.write_bytes(saved.header + saved.block)
    found = read_lora(path).modules[NAME]
    assert (type(found), found.alpha, found.scale) == (type(module), module.alpha, module.scale)
    assert found.tensors().keys() == module.tensors().keys()
    assert all(torch.equal(found.tensors()[role], tensor) for role, tensor in module.tensors().items())


def test_pefts_magnitude_is_a_length_of_each_output(tmp_path: Path) -> None:
    down, up = _pair()
    name = "unet.mid_block.attentions.0.proj_in"
    path = _file(
        tmp_path,
        {
            f"{name}.lora_A.weight": down,
            f"{name}.lora_B.weight": up,
            f"{name}.lora_magnitude_vector": torch.rand(8),
        },
    )
    magnitude = read_lora(path).modules[NAME].dora_scale
    assert magnitude is not None and magnitude.shape == (8, 1)


def test_a_file_with_two_text_encoders_has_sdxls_names(tmp_path: Path) -> None:
    down, up = _pair()
    layer = "text_model.encoder.layers.0.mlp.fc1"
    tensors = {
        f"{encoder}.{layer}.lora_{end}.weight": tensor.clone()
        for encoder in ("text_encoder", "text_encoder_2")
        for end, tensor in (("A", down), ("B", up))
    }
    names = read_lora(_file(tmp_path, tensors)).modules.keys()
    assert names == {f"lora_te{number}_text_model_encoder_layers_0_mlp_fc1" for number in (1, 2)}


def _whole() -> bytes:
    down, up = _pair()
    weights = LoraWeights({NAME: LoraModule(down, up, alpha=2.0)})
    saved = lora_bytes(lora_tensors(weights, "float"), {})
    return saved.header + saved.block


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file"),
        (b"", "no complete safetensors file"),
        (b"this is a text", "no complete safetensors file"),
        (_whole()[:-10], "no complete safetensors file"),
    ],
    ids=["missing", "empty", "text", "cut off"],
)
def test_a_file_that_cannot_be_read_is_a_failure_with_a_sentence(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    path = tmp_path / "some.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Failure, match=said) as caught:
        read_lora(path)
    assert caught.value.code == "lora_corrupt"
    assert str(path) in caught.value.message


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({f"{NAME}.lora_down.weight": torch.zeros(4, 6)}, "lacks its lora_up weight"),
        (
            {f"{NAME}.lora_down.weight": torch.zeros(4, 6), f"{NAME}.lora_up.weight": torch.zeros(8, 5)},
            "do not belong together",
        ),
        (
            {f"{NAME}.lora_down.weight": torch.full((4, 6), torch.nan), f"{NAME}.lora_up.weight": torch.zeros(8, 4)},
            "not finite",
        ),
        ({f"{NAME}.hada_w1_a": torch.zeros(4, 6)}, "lacks its hada_w1_b"),
        ({f"{NAME}.lokr_w1": torch.zeros(4, 6)}, "lacks its lokr_w2_a"),
        ({f"{NAME}.dora_scale": torch.zeros(1, 6)}, "lacks its lora_down weight"),
        ({f"{NAME}.oft_blocks": torch.zeros(1, 6, 6)}, "OFT"),
        (
            {
                f"{NAME}.lokr_w1": torch.zeros(2, 2),
                f"{NAME}.lokr_w2_a": torch.zeros(4, 3),
                f"{NAME}.lokr_w2_b": torch.zeros(2, 3),
            },
            "do not belong together",
        ),
        ({"model.diffusion_model.out.0.weight": torch.zeros(4)}, "meaning of model.diffusion_model.out.0.weight"),
    ],
    ids=[
        "half a module",
        "misfit",
        "not finite",
        "half a LoHa",
        "half a LoKr",
        "half a DoRA",
        "OFT",
        "LoKr",
        "a checkpoint",
    ],
)
def test_a_file_that_is_no_lora_says_what_it_is(tmp_path: Path, tensors: dict[str, Tensor], said: str) -> None:
    with pytest.raises(Failure, match=said) as caught:
        read_lora(_file(tmp_path, tensors))
    assert caught.value.code == "lora_corrupt"
