"""Which defaults the WebUI writes into its ui-config.json."""

from __future__ import annotations

from typing import Any


def saved_labels(blocks: Any) -> list[str]:  # noqa: ANN401 - gradio's Blocks
    """The labels of everything below `blocks` that would be saved."""
    components = [block for block in blocks.blocks.values() if getattr(block, "label", None)]
    return [str(block.label) for block in components if not getattr(block, "do_not_save_to_config", False)]
