"""The caption a step sees: kohya's shuffle_caption and keep_tokens as a pure function."""

import random
import re


def training_caption(caption: str, *, shuffle: bool, keep_tokens: int, seed: int) -> str:
    """`caption` with its comma tags after the first `keep_tokens` shuffled by `seed`; unchanged without `shuffle`.

    As in kohya, the shuffled caption is joined by ", " and empty tags are dropped.
    """
    if not shuffle:
        return caption
    tags = [tag for tag in (part.strip() for part in caption.split(",")) if tag]
    kept, rest = tags[:keep_tokens], tags[keep_tokens:]
    random.Random(seed).shuffle(rest)
    return ", ".join(kept + rest)


def without_trigger(caption: str, trigger_word: str) -> str:
    """`caption` without the tag `trigger_word`, and without the word where it stands inside a tag.

    Without a trigger word nothing is left: the empty caption stands for all that should stay as it is.
    """
    if not trigger_word:
        return ""
    word = re.compile(rf"(?<!\w){re.escape(trigger_word)}(?!\w)", re.IGNORECASE)
    tags = (" ".join(word.sub(" ", tag).split()) for tag in caption.split(","))
    return ", ".join(tag for tag in tags if tag)
