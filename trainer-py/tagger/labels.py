"""The names of a tagger's outputs, in the order of the outputs."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagger.requests import Family
from trainer.failure import Failure


@dataclass(frozen=True)
class Label:
    """A booru's name with its underscores, and what it is about.

    category: general, character, copyright, artist, meta, rating, quality or model.
    name "": an output that nobody has named.
    """

    name: str
    category: str


NAMELESS = Label("", "general")

_BOORU_CATEGORIES = {"0": "general", "1": "artist", "3": "copyright", "4": "character", "5": "meta", "9": "rating"}
_KNOWN = {"general", "character", "copyright", "artist", "meta", "rating", "quality", "model"}


def read_labels(family: Family | str, path: Path) -> tuple[Label, ...]:
    """One label for each output of the tagger. Raises Failure `tagger_unsupported` for another kind of file."""
    try:
        match family:
            case "wd":
                return _selected_tags(path)
            case "cl":
                return _tag_mapping(json.loads(path.read_text(encoding="utf-8-sig")))
            case _:
                return _tag_lines(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, csv.Error) as error:
        raise Failure(
            "tagger_unsupported",
            f"Expected the tagger's tag names in {path}, but they can't be read ({error}); download the tagger again.",
        ) from error


def _selected_tags(path: Path) -> tuple[Label, ...]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise ValueError("the table is empty")
    return tuple(Label(row["name"], _BOORU_CATEGORIES.get(row["category"].strip(), "general")) for row in rows)


def _tag_mapping(mapping: Any) -> tuple[Label, ...]:  # noqa: ANN401
    """Either {"0": {"tag", "category"}, …} or {"idx_to_tag": {"0": tag}, "tag_to_category": {tag: category}}."""
    if "idx_to_tag" in mapping:
        categories = mapping["tag_to_category"]
        named = {int(index): (tag, categories.get(tag, "general")) for index, tag in mapping["idx_to_tag"].items()}
    else:
        named = {int(index): (entry["tag"], entry["category"]) for index, entry in mapping.items()}
    if not named:
        raise ValueError("the table is empty")
    labels = [NAMELESS] * (max(named) + 1)
    for index, (tag, category) in named.items():
        labels[index] = Label(str(tag), _category(str(category)))
    return tuple(labels)


def _tag_lines(path: Path) -> tuple[Label, ...]:
    """tags.txt, with the first index of each category in a categories.json beside it when there is one."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise ValueError("the list is empty")
    categories_file = path.with_name("categories.json")
    starts = json.loads(categories_file.read_text(encoding="utf-8-sig")) if categories_file.is_file() else []
    labels = [Label(line.strip(), "general") for line in lines]
    for start in sorted(starts, key=lambda one: int(one["start_index"])):
        for index in range(int(start["start_index"]), len(labels)):
            labels[index] = Label(labels[index].name, _category(str(start["name"])))
    return tuple(Label(label.name, "rating") if label.name.startswith("rating:") else label for label in labels)


def _category(name: str) -> str:
    lower = name.strip().lower()
    return "meta" if lower == "system" else lower if lower in _KNOWN else "general"
