"""What happens to a caption on its way into a step, as a pure function."""

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from run_folder import write_run
from trainer.dataset.captions import is_fixed, steady_caption, training_caption, without_trigger
from trainer.plan import read_plan
from trainer.settings import Settings

CAPTION = "zorp, red,  big ,tall, , blue"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    plan = write_run(tmp_path_factory.mktemp("run"), Path("m"), shuffleCaption=False, keepTokens=1)
    return read_plan(plan / "plan.json").settings


def _caption(settings: Settings, text: str = CAPTION, *, seed: int = 1, epoch: int = 1, **changes: Any) -> str:  # noqa: ANN401
    return training_caption(text, dataclasses.replace(settings, **changes), epoch=epoch, seed=seed)


def test_without_any_of_it_a_caption_stays_as_it_was_written(plain: Settings) -> None:
    assert _caption(plain) == steady_caption(CAPTION, plain) == CAPTION
    assert is_fixed(plain)


def test_shuffling_keeps_the_head_and_all_tags_and_depends_on_the_seed_alone(plain: Settings) -> None:
    shuffled = [_caption(plain, shuffle_caption=True, keep_tokens=2, seed=seed) for seed in range(20)]
    assert all(text.startswith("zorp, red, ") for text in shuffled)
    assert all(sorted(text.split(", ")) == ["big", "blue", "red", "tall", "zorp"] for text in shuffled)
    assert len(set(shuffled)) == 6
    assert shuffled[3] == _caption(plain, shuffle_caption=True, keep_tokens=2, seed=3)


def test_more_kept_tags_than_there_are_leave_the_order(plain: Settings) -> None:
    assert _caption(plain, "a, b", shuffle_caption=True, keep_tokens=9) == "a, b"
    assert _caption(plain, "", shuffle_caption=True) == ""


def test_a_separator_says_what_stays_at_the_head_and_at_the_end(plain: Settings) -> None:
    text = "zorp, 1girl ||| a, b, c ||| best"
    found = {_caption(plain, text, shuffle_caption=True, keep_tokens_separator="|||", seed=seed) for seed in range(40)}
    assert len(found) == 6
    assert all(one.startswith("zorp, 1girl, ") and one.endswith(", best") for one in found)
    assert _caption(plain, text, keep_tokens_separator="|||") == "zorp, 1girl, a, b, c, best"


def test_captions_drop_out_at_their_rate_and_in_every_nth_epoch(plain: Settings) -> None:
    dropped = sum(_caption(plain, caption_dropout_rate=0.25, seed=seed) == "" for seed in range(400))
    assert 70 < dropped < 130
    by_epoch = [_caption(plain, caption_dropout_every_n_epochs=3, epoch=epoch) == "" for epoch in range(1, 8)]
    assert by_epoch == [False, False, True, False, False, True, False]


def test_tags_drop_out_one_by_one_but_never_the_kept_ones(plain: Settings) -> None:
    found = [_caption(plain, "a, b, c", caption_tag_dropout_rate=0.5, seed=seed) for seed in range(400)]
    counts = Counter(tag for text in found for tag in text.split(", "))
    assert counts["a"] == 400 and all(150 < counts[tag] < 250 for tag in "bc")
    assert _caption(plain, "a, b, c", caption_tag_dropout_rate=1) == "a"


def test_wildcards_take_one_part_one_line_and_leave_doubled_braces(plain: Settings) -> None:
    text = "a {red|blue} hat\nsecond {{line}} ⦅"
    found = {_caption(plain, text, enable_wildcard=True, seed=seed) for seed in range(50)}
    assert found == {"a red hat", "a blue hat", "second {line} ⦅"}
    assert steady_caption(text, dataclasses.replace(plain, enable_wildcard=True)) == "a red hat"
    assert _caption(plain, text) == "a {red|blue} hat"


def test_prefix_suffix_and_secondary_separator_are_kohyas(plain: Settings) -> None:
    changes = {"caption_prefix": "masterpiece,", "caption_suffix": ", end", "secondary_separator": ";;;"}
    text = _caption(plain, "zorp, hat;;;coat, b", shuffle_caption=True, keep_tokens=2, **changes)
    assert text.startswith("masterpiece, zorp, ") and "hat,coat" in text
    assert steady_caption("a;;;b", dataclasses.replace(plain, **changes)) == "masterpiece, a,b , end"


@pytest.mark.parametrize(
    "changes",
    [
        {"shuffle_caption": True},
        {"enable_wildcard": True},
        {"caption_dropout_rate": 0.1},
        {"caption_dropout_every_n_epochs": 2},
        {"caption_tag_dropout_rate": 0.1},
    ],
)
def test_what_may_change_is_not_taken_for_fixed(changes: dict[str, Any], plain: Settings) -> None:
    assert not is_fixed(dataclasses.replace(plain, **changes))


def test_the_trigger_word_is_taken_out_as_a_tag_and_inside_one() -> None:
    assert without_trigger("zorp, red, a Zorp hat, zorpish", "zorp") == "red, a hat, zorpish"
    assert without_trigger("red, blue", "") == ""
