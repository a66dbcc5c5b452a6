"""kohya's numbering of the UNet's blocks, and values that differ by block."""

import re
from dataclasses import dataclass

from trainer.from_json import expect

SD_BLOCKS = 25
"""Stable Diffusion 1 and 2: 12 down, 1 middle, 12 up."""
SDXL_BLOCKS = 23
"""SDXL: 1 for the embeddings, 9 down, 3 middle, 9 up, 1 for the way out."""
GROUPS = ("down", "mid", "up", "te")

_SD_NAME = re.compile(r"(up|down)_blocks_(\d+)_(resnets|upsamplers|downsamplers|attentions)_(\d+)_")
_SDXL_FIRST = {"input_blocks": 1, "middle_block": 10, "output_blocks": 13}


def block_index(name: str) -> int | None:
    """kohya's block (0 … 24, SDXL 0 … 22) of a UNet module by its name; None for a text encoder's."""
    if not name.startswith("lora_unet_"):
        return None
    if found := re.match(r"lora_unet_(input_blocks|middle_block|output_blocks)_(\d+)", name):
        return _SDXL_FIRST[found[1]] + int(found[2])
    if "mid_block_" in name:
        return 12
    if found := _SD_NAME.search(name):
        within = 3 * int(found[2]) + (2 if found[3].endswith("samplers") else int(found[4]))
        return within + (1 if found[1] == "down" else 13)
    return 22 if name.startswith("lora_unet_out_") else 0


def block_group(name: str) -> str:
    """down, mid, up or te."""
    index = block_index(name)
    if index is None:
        return "te"
    sdxl = re.match(r"lora_unet_(input_blocks|middle_block|output_blocks|out_)", name) is not None
    first_mid, first_up = (10, 13) if sdxl else (12, 13)
    return "down" if index < first_mid else "mid" if index < first_up else "up"


@dataclass(frozen=True)
class BlockValues:
    """`default` where neither `blocks` (one value a block) nor `groups` says otherwise."""

    default: float
    blocks: tuple[float, ...] = ()
    groups: tuple[tuple[str, float], ...] = ()

    def of(self, name: str) -> float:
        """The value for a module; text encoders are in no block."""
        index = block_index(name)
        if self.blocks and index is not None:
            expect(index < len(self.blocks), f"a value for block {index} of {name}, found {len(self.blocks)} values")
            return self.blocks[index]
        return dict(self.groups).get(block_group(name), self.default)

    @classmethod
    def parse(cls, text: str, default: float) -> "BlockValues":
        """ "2,4,…" with 25 (SDXL: 23) numbers, "down=8 mid=16 up=8 te=4" in part, or "". Raises Failure `bad_plan`."""
        items = [item for item in re.split(r"[\s,;]+", text.strip()) if item]
        if not any("=" in item for item in items):
            values = tuple(_number(item, text) for item in items)
            expect(len(values) in (0, SD_BLOCKS, SDXL_BLOCKS), f"25 or 23 numbers, one a block, found {len(values)}")
            return cls(default, blocks=values)
        pairs = [item.partition("=") for item in items]
        for group, _, _ in pairs:
            expect(group in GROUPS, f"blocks by the names {', '.join(GROUPS)}, found {group!r}")
        return cls(default, groups=tuple((group, _number(value, text)) for group, _, value in pairs))


def _number(item: str, text: str) -> float:
    expect(re.fullmatch(r"\d+(\.\d+)?", item) is not None, f"numbers in {text!r}, found {item!r}")
    return float(item)
