"""The caption that a step sees: what kohya does to one, in kohya's order, as a pure function of a seed."""

import random
import re

from trainer.dataset.wildcards import resolved_wildcards
from trainer.settings import Settings

Parts = tuple[list[str], list[str], list[str]]
"""Tags that stay at the head, those that may move or fall out, those that stay at the end."""


def training_caption(  # noqa: PLR0913
    caption: str, settings: Settings, *, epoch: int, seed: int, step: int = 0, total: int = 1
) -> str:
    """`caption` after prefix and suffix, dropout, wildcards, token warm-up, shuffling, tag dropout and the secondary
    separator.

    step, of `total`: counted from 0, for tokenWarmupStep. epoch: counted from 1, for captionDropoutEveryNEpochs. As in
    kohya a shuffled caption is joined by ", ". A keepTokensSeparator is always taken out, also where nothing is
    shuffled. "" when the caption is dropped.
    """
    source = random.Random(seed)
    if _is_dropped(settings, epoch, source):
        return ""
    caption = _line(_decorated(caption, settings), settings, source)
    warmup = int(settings.token_warmup_step * (total if settings.token_warmup_step < 1 else 1))
    if settings.shuffle_caption or settings.caption_tag_dropout_rate > 0 or step < warmup:
        head, middle, end = _split(caption, settings)
        if step < warmup:
            least = settings.token_warmup_min
            middle = middle[: int(step * (len(middle) - least) // warmup) + least]
        if settings.shuffle_caption:
            source.shuffle(middle)
        if rate := settings.caption_tag_dropout_rate:
            middle = [tag for tag in middle if source.random() >= rate]
        caption = ", ".join(head + middle + end)
    return _joined(caption, settings)


def steady_caption(caption: str, settings: Settings) -> str:
    """`caption` as it is measured: everything that training_caption does, but nothing by chance."""
    return _joined(_line(_decorated(caption, settings), settings, None), settings)


def is_fixed(settings: Settings) -> bool:
    """Whether training_caption gives the same each time."""
    chances = (
        settings.shuffle_caption,
        settings.enable_wildcard,
        settings.caption_dropout_rate > 0,
        settings.caption_dropout_every_n_epochs > 0,
        settings.caption_tag_dropout_rate > 0,
        settings.token_warmup_step > 0,
    )
    return not any(chances)


def without_trigger(caption: str, trigger_word: str) -> str:
    """`caption` without the tag `trigger_word`, and without the word where it stands inside a tag.

    Without a trigger word nothing is left: the empty caption stands for all that should stay as it is.
    """
    if not trigger_word:
        return ""
    word = re.compile(rf"(?<!\w){re.escape(trigger_word)}(?!\w)", re.IGNORECASE)
    tags = (" ".join(word.sub(" ", tag).split()) for tag in caption.split(","))
    return ", ".join(tag for tag in tags if tag)


def _is_dropped(settings: Settings, epoch: int, source: random.Random) -> bool:
    if settings.caption_dropout_rate > 0 and source.random() < settings.caption_dropout_rate:
        return True
    every = settings.caption_dropout_every_n_epochs
    return every > 0 and epoch % every == 0


def _decorated(caption: str, settings: Settings) -> str:
    if settings.caption_prefix:
        caption = f"{settings.caption_prefix} {caption}"
    return f"{caption} {settings.caption_suffix}" if settings.caption_suffix else caption


def _line(caption: str, settings: Settings, source: random.Random | None) -> str:
    if settings.enable_wildcard:
        return resolved_wildcards(caption, source)
    return caption.split("\n")[0]


def _split(caption: str, settings: Settings) -> Parts:
    separator = settings.keep_tokens_separator
    if separator and separator in caption:
        head, rest = caption.split(separator, 1)
        middle, _, end = rest.partition(separator)
        return _tags(head), _tags(middle), _tags(end)
    tags = _tags(caption)
    return tags[: settings.keep_tokens], tags[settings.keep_tokens :], []


def _joined(caption: str, settings: Settings) -> str:
    separator = settings.keep_tokens_separator
    if separator and separator in caption:
        caption = ", ".join(tag for part in caption.split(separator) for tag in _tags(part))
    return caption.replace(settings.secondary_separator, ",") if settings.secondary_separator else caption


def _tags(text: str) -> list[str]:
    return [tag for tag in (part.strip() for part in text.split(",")) if tag]
