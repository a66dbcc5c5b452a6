"""Caption shuffling as a pure function."""

from trainer.captions import training_caption

CAPTION = "zorp, red,  big ,tall, , blue"


def test_without_shuffling_a_caption_stays_as_it_was_written() -> None:
    assert training_caption(CAPTION, shuffle=False, keep_tokens=1, seed=1) == CAPTION


def test_shuffling_keeps_the_head_and_all_tags_and_depends_on_the_seed_alone() -> None:
    shuffled = [training_caption(CAPTION, shuffle=True, keep_tokens=2, seed=seed) for seed in range(20)]
    assert all(text.startswith("zorp, red, ") for text in shuffled)
    assert all(sorted(text.split(", ")) == ["big", "blue", "red", "tall", "zorp"] for text in shuffled)
    assert len(set(shuffled)) == 6
    assert shuffled[3] == training_caption(CAPTION, shuffle=True, keep_tokens=2, seed=3)


def test_more_kept_tags_than_there_are_leave_the_order() -> None:
    assert training_caption("a, b", shuffle=True, keep_tokens=9, seed=1) == "a, b"
    assert training_caption("", shuffle=True, keep_tokens=1, seed=1) == ""
