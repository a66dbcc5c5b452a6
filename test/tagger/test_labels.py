import json
from pathlib import Path

import pytest

from tagger.labels import NAMELESS, Label, read_labels
from tagger_files import SELECTED_TAGS
from trainer.failure import Failure


def test_selected_tags_keep_their_order_quotes_and_categories(tmp_path: Path) -> None:
    (tmp_path / "selected_tags.csv").write_text("\ufeff" + SELECTED_TAGS, encoding="utf-8")
    assert read_labels("wd", tmp_path / "selected_tags.csv") == (
        Label("general", "rating"),
        Label("sensitive", "rating"),
        Label("red_hat", "general"),
        Label("comma,_tag", "general"),
        Label("moss_keeper_(lantern)", "character"),
    )


@pytest.mark.parametrize(
    "mapping",
    [
        {"0": {"tag": "1girl", "category": "General"}, "3": {"tag": "best quality", "category": "Quality"}},
        {
            "idx_to_tag": {"0": "1girl", "3": "best quality"},
            "tag_to_category": {"1girl": "General", "best quality": "Quality"},
        },
    ],
)
def test_both_forms_of_a_tag_mapping_are_read_and_gaps_have_no_name(tmp_path: Path, mapping: object) -> None:
    (tmp_path / "tag_mapping.json").write_text(json.dumps(mapping), encoding="utf-8")
    assert read_labels("cl", tmp_path / "tag_mapping.json") == (
        Label("1girl", "general"),
        NAMELESS,
        NAMELESS,
        Label("best quality", "quality"),
    )


def test_deepdanbooru_takes_categories_from_the_file_beside_and_ratings_from_the_names(tmp_path: Path) -> None:
    (tmp_path / "tags.txt").write_text("hat\nmoss_keeper\nrating:safe\nsystem_tag\n\n", encoding="utf-8")
    starts = [
        {"name": "System", "start_index": 2},
        {"name": "General", "start_index": 0},
        {"name": "Character", "start_index": 1},
    ]
    (tmp_path / "categories.json").write_text(json.dumps(starts), encoding="utf-8")
    assert read_labels("deepdanbooru", tmp_path / "tags.txt") == (
        Label("hat", "general"),
        Label("moss_keeper", "character"),
        Label("rating:safe", "rating"),
        Label("system_tag", "meta"),
    )


def test_deepdanbooru_does_without_categories(tmp_path: Path) -> None:
    (tmp_path / "tags.txt").write_text("hat\nrating:safe", encoding="utf-8")
    assert read_labels("deepdanbooru", tmp_path / "tags.txt") == (
        Label("hat", "general"),
        Label("rating:safe", "rating"),
    )


@pytest.mark.parametrize(
    ("family", "content"),
    [
        ("wd", ""),
        ("wd", "a,b\n1,2\n"),
        ("cl", "{"),
        ("cl", "{}"),
        ("cl", "[]"),
        ("cl", '{"x": 3}'),
        ("deepdanbooru", "\n"),
    ],
)
def test_a_file_that_names_no_tags_is_refused_in_a_sentence(tmp_path: Path, family: str, content: str) -> None:
    (tmp_path / "names").write_text(content, encoding="utf-8")
    with pytest.raises(Failure) as refused:
        read_labels(family, tmp_path / "names")
    assert refused.value.code == "tagger_unsupported"
    assert str(tmp_path / "names") in refused.value.message
