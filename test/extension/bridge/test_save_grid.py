"""A grid's sheet in the WebUI's own grid folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from drawing_request import infotext
from modules import shared
from node_side import NodeSide, Refused
from PIL import Image
from train_lora_webui.bridge.host_connection import HostConnection


def test_saves_a_sheet_where_the_webui_keeps_its_grids_with_its_infotext(
    node: NodeSide, host: HostConnection, tmp_path: Path, webui: Path
) -> None:
    sheet = tmp_path / "sheet.png"
    Image.new("RGB", (200, 100), (1, 2, 3)).save(sheet)
    text = "korri, on a hill\nNegative prompt: blurry\nSteps: 4, Sampler: Euler a, Seed: 7, Size: 64x72"
    saved = Path(node.request("saveGrid", sheet=str(sheet), infotext=text, title="korri")["file"])
    assert saved.parent == webui / "grids" and saved.name.startswith("train_lora_grid")
    assert infotext(saved) == text


def test_saves_no_grid_when_the_user_saves_none(
    node: NodeSide, host: HostConnection, tmp_path: Path, webui: Path
) -> None:
    sheet = tmp_path / "sheet.png"
    Image.new("RGB", (200, 100)).save(sheet)
    shared.opts.data["grid_save"] = False
    assert node.request("saveGrid", sheet=str(sheet), infotext="a", title="korri") == {"file": str(sheet)}
    assert not list((webui / "grids").iterdir())


def test_a_missing_or_too_large_sheet_is_a_sentence(node: NodeSide, host: HostConnection, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="not there any more"):
        node.request("saveGrid", sheet=str(tmp_path / "gone.png"), infotext="a", title="korri")
    sheet = tmp_path / "sheet.png"
    Image.new("RGB", (2000, 1000)).save(sheet)
    shared.opts.data["img_max_size_mp"] = 1
    with pytest.raises(Refused, match="megapixels"):
        node.request("saveGrid", sheet=str(sheet), infotext="a", title="korri")
