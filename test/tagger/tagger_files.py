"""Taggers and pictures on disk, and what `python -m tagger` says of them."""

import base64
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tagger.requests import Score
from tagger.score_pictures import score_pictures

SELECTED_TAGS = """tag_id,name,category,count
1,general,9,100
2,sensitive,9,100
3,red_hat,0,50
4,"comma,_tag",0,40
5,moss_keeper_(lantern),4,30
"""
WEIGHTS = [[0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.1, -0.1, 0.02]]
BIAS = [2.0, -2.0, -12.0, 4.0, -3.0]


def write_wd(folder: Path, onnx: bytes, tags: str = SELECTED_TAGS) -> tuple[str, str]:
    """The paths of a model and its tags."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(onnx)
    (folder / "selected_tags.csv").write_text(tags, encoding="utf-8")
    return str(folder / "model.onnx"), str(folder / "selected_tags.csv")


def write_picture(path: Path, colour: tuple[int, ...], size: tuple[int, int] = (16, 16)) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB" if len(colour) == 3 else "RGBA", size, colour).save(path)
    return path.name


def events_of(
    request: Score, capfd: pytest.CaptureFixture[str], stop: threading.Event | None = None
) -> list[dict[str, Any]]:
    capfd.readouterr()
    score_pictures(request, stop or threading.Event())
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def scores_in(event: dict[str, Any]) -> dict[int, int]:
    """Label's index → score of 0…255."""
    packed = np.frombuffer(base64.b64decode(event["scores"]), "<u4")
    return {int(one & 0xFFFFFF): int(one >> 24) for one in packed}


def sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))
