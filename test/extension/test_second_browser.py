"""Two browsers on one WebUI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image
from running_webui import RunningWebui


def test_a_second_browser_sees_what_the_first_one_does_and_outlives_it(
    open_webui: RunningWebui, page: dict[str, str], tmp_path: Path
) -> None:
    for number in range(2):
        Image.effect_noise((96, 96), 90).convert("RGB").save(tmp_path / f"{number}.png")
    first, second = open_webui.socket(page), open_webui.socket(open_webui.page_offer())
    with second:
        with first:
            before = [names(browser.told("snapshot")) for browser in (first, second)]
            assert before[0] == before[1] and "shared" not in before[0]
            first.send(json.dumps({"id": 1, "type": "importDataset", "source": str(tmp_path), "name": "shared"}))
            assert first.told("result")["id"] == 1
            assert "shared" in json.dumps(second.told("datasets"))
        second.send(json.dumps({"id": 2, "type": "scanDataset", "dataset": "shared"}))
        assert len(second.told("result")["value"]["images"]) == 2
    with open_webui.socket(page) as third:
        assert "shared" in names(third.told("snapshot"))


def names(snapshot: dict[str, Any]) -> list[str]:
    return [dataset["name"] for dataset in snapshot["snapshot"]["datasets"]]
