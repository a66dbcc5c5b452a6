"""Base weights of one byte a number: how near they come, and what they take."""

import pytest
import torch

from trainer.model.packed_weight import PackedWeight

CPU = torch.device("cpu")


def _packed(packing: str, weight: torch.Tensor, dtype: torch.dtype = torch.float32) -> PackedWeight:
    packed = PackedWeight.empty(packing, weight.shape, device=CPU, dtype=dtype)
    packed.fill(weight)
    return packed


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("packing", "most"), [("fp8", 0.03), ("int8", 0.012)])
@pytest.mark.parametrize("size", [1e-4, 0.03, 50.0])
def test_a_weight_of_any_size_comes_back_nearly_as_it_was(
    packing: str, most: float, size: float, dtype: torch.dtype
) -> None:
    weight = torch.randn(16, 8, 3, 3, generator=torch.Generator().manual_seed(0)) * size
    found = _packed(packing, weight, dtype).unpacked()
    assert found.dtype == dtype and found.shape == weight.shape
    assert float((found.float() - weight).norm() / weight.norm()) < most


@pytest.mark.parametrize("packing", ["fp8", "int8"])
def test_each_row_has_a_scale_of_its_own_and_zeros_stay_zeros(packing: str) -> None:
    weight = torch.randn(4, 64, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [[1e-3], [1.0], [0.0], [9.0]]
    )
    found = _packed(packing, weight).unpacked()
    errors = (found - weight).norm(dim=1) / weight.norm(dim=1).clamp_min(1e-9)
    assert float(errors.max()) < 0.04 and bool((found[2] == 0).all())


@pytest.mark.parametrize("packing", ["fp8", "int8"])
def test_a_number_takes_one_byte(packing: str) -> None:
    packed = _packed(packing, torch.ones(64, 64))
    assert packed.numbers.nbytes == 64 * 64 and packed.scale.nbytes == 64 * 4


def test_powers_of_two_are_kept_exactly_in_fp8() -> None:
    weight = 2.0 ** torch.arange(-10, 0).repeat(2, 1)
    assert torch.equal(_packed("fp8", weight).unpacked(), weight)
