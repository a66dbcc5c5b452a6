"""A frozen weight in one byte a number, which is unpacked where it is used and never kept."""

from dataclasses import dataclass

import torch
from torch import Tensor

PACKINGS = {"fp8": torch.float8_e4m3fn, "int8": torch.int8}
_MOST = {"fp8": 448.0, "int8": 127.0}
_SMALLEST = 2.0**-24


@dataclass(frozen=True, eq=False)
class PackedWeight:
    """numbers (out, in, …) of float8_e4m3fn or int8; scale (out, 1, …) in the type that is computed in."""

    numbers: Tensor
    scale: Tensor

    @staticmethod
    def empty(  # noqa: PLR0913
        packing: str,
        shape: torch.Size | tuple[int, ...],
        *,
        device: torch.device,
        dtype: torch.dtype,
        memory: torch.memory_format = torch.contiguous_format,
    ) -> "PackedWeight":
        """packing: "fp8" or "int8"."""
        numbers = torch.empty(shape, dtype=PACKINGS[packing], device=device, memory_format=memory)
        return PackedWeight(numbers, torch.empty(shape[0], *(1 for _ in shape[1:]), dtype=dtype, device=device))

    @property
    def shape(self) -> torch.Size:
        return self.numbers.shape

    def rows(self, sizes: tuple[int, ...]) -> list["PackedWeight"]:
        """Parts of so many rows each, in the same memory."""
        pairs = zip(self.numbers.split(sizes), self.scale.split(sizes), strict=True)
        return [PackedWeight(numbers, scale) for numbers, scale in pairs]

    def fill(self, weight: Tensor) -> None:
        """Take over `weight` (out, in, …): each row is stretched over the whole range of its type."""
        whole = weight.to(self.scale.device, torch.float32)
        most = whole.flatten(1).abs().amax(dim=1)
        if self.numbers.dtype == torch.int8:
            scale = (most / _MOST["int8"]).clamp_min(_SMALLEST)
        else:
            # A power of two, so that no digit is lost to the scale itself.
            scale = torch.exp2(torch.ceil(torch.log2((most / _MOST["fp8"]).clamp_min(_SMALLEST))))
        self.scale.copy_(scale.view(self.scale.shape))
        # Divided by the scale as it is kept, so that its own rounding makes no difference.
        numbers = whole / self.scale.float()
        self.numbers.copy_(numbers.round_().clamp_(-127, 127) if self.numbers.dtype == torch.int8 else numbers)

    def unpacked(self) -> Tensor:
        """A weight (out, in, …) of its own."""
        return self.numbers.to(self.scale.dtype).mul_(self.scale)
