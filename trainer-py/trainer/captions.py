"""The caption a step sees: kohya's shuffle_caption and keep_tokens as a pure function."""

import random


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
