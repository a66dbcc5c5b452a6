import pytest
import torch

from trainer.network.lora_weights import LohaModule, LokrModule, LoraModule
from trainer.tools.spectrum import dense_change, dims_for, effective_rank, low_rank_spectrum, spectrum_of, stable_rank


@pytest.mark.parametrize(
    ("name", "kernel"),
    [
        ("lora_unet_down_blocks_0_resnets_0_conv2", (3, 3)),
        ("lora_unet_down_blocks_0_downsamplers_0_conv", (3, 3)),
        ("lora_unet_up_blocks_0_upsamplers_0_conv", (3, 3)),
        ("lora_unet_input_blocks_3_0_op", (3, 3)),
        ("lora_unet_output_blocks_2_2_conv", (3, 3)),
        ("lora_unet_middle_block_0_out_layers_3", (3, 3)),
        ("lora_unet_middle_block_0_emb_layers_1", ()),
        ("lora_unet_middle_block_0_skip_connection", ()),
        ("lora_unet_down_blocks_0_resnets_0_conv_shortcut", ()),
        ("lora_unet_mid_block_attentions_0_proj_in", ()),
    ],
)
def test_a_lohas_and_a_lokrs_kernel_is_known_by_the_layers_name(name: str, kernel: tuple[int, ...]) -> None:
    inside = 4 * (9 if kernel else 1)
    loha = LohaModule(torch.randn(6, 2), torch.randn(2, inside), torch.randn(6, 2), torch.randn(2, inside), 1.0)
    lokr = LokrModule(1.0, w1=torch.randn(2, 2), w2_a=torch.randn(3, 1), w2_b=torch.randn(1, inside // 2))
    assert dense_change(name, loha).shape == dense_change(name, lokr).shape == (6, 4, *kernel)


@pytest.mark.parametrize(("out", "inside", "rank"), [(20, 12, 4), (20, 12, 40), (5, 60, 8)])
def test_a_low_rank_products_singular_values_are_those_of_the_whole(out: int, inside: int, rank: int) -> None:
    up, down = torch.randn(out, rank), torch.randn(rank, inside)
    found = low_rank_spectrum(up, down, ())
    whole = torch.linalg.svdvals(up @ down)
    count = min(len(found.values), len(whole))
    assert torch.allclose(found.values[:count], whole[:count], atol=1e-4)
    assert ((found.left * found.values) @ found.right - up @ down).abs().max() < 1e-4


def test_a_change_of_nothing_has_no_ranks() -> None:
    values = spectrum_of("a", LoraModule(torch.randn(4, 12), torch.zeros(20, 4), 1.0)).values
    assert (effective_rank(values), stable_rank(values), dims_for(values, (0.9, 0.99))) == (0.0, 0.0, [0, 0])


def test_ranks_of_equal_values_are_their_number() -> None:
    values = torch.ones(7)
    assert effective_rank(values) == pytest.approx(7) and stable_rank(values) == pytest.approx(7)
    assert dims_for(values, (0.5, 1.0)) == [4, 7]
