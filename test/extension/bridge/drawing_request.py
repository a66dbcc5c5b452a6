"""What the server asks of the WebUI when cells are to be drawn, and what comes of it."""
# ruff: noqa: ANN401

from __future__ import annotations

from pathlib import Path
from typing import Any

from node_side import NodeSide
from PIL import Image

SETTINGS = {
    "prompts": ["korri, on a hill", "korri, at night"],
    "negativePrompt": "blurry",
    "sampler": "Euler a",
    "scheduler": "Karras",
    "steps": 4,
    "cfgScale": 6.5,
    "width": 64,
    "height": 72,
    "clipSkip": 2,
    "checkpoint": None,
}


def cell(
    epoch: int = 1, weight: float = 0.8, seed: int = 7, prompt: int = 0, file: str | None = None
) -> dict[str, Any]:
    lora = None if epoch == 0 else f"korri-{epoch:06}"
    return {
        "epoch": epoch,
        "lora": lora,
        "weight": weight,
        "prompt": prompt,
        "seed": seed,
        "file": file or f"cells/e{epoch}-w{weight}-p{prompt}-s{seed}.png",
    }


def render(tmp_path: Path, cells: list[dict[str, Any]], **settings: Any) -> dict[str, Any]:
    return {"settings": {**SETTINGS, **settings}, "cells": cells, "outDir": str(tmp_path / "out"), "title": "korri"}


def infotext(file: str) -> str:
    with Image.open(file) as image:
        return image.text["parameters"]


def told(node: NodeSide) -> list[str]:
    return [message["file"] for message in node.messages if message["type"] == "cellDrawn"]
