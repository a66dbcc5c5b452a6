"""Captions of base pictures: mostly booru-style tags, sometimes plain words."""

import numpy as np

from pocket.creature import creature_tags
from pocket.scene import Scene

_WORDS = {1: "a", 2: "two", 3: "three"}


def random_caption(rng: np.random.Generator, scene: Scene) -> str:
    """One of many true captions of the scene: wording and order vary, colour and background always appear."""
    parts = _words(rng, scene) if rng.random() < 0.25 else _tags(rng, scene)
    background = list(scene.background.tags)
    if background[-1] in ("simple background", "outdoors") and rng.random() < 0.4:
        background.pop()
    return ", ".join(parts + background)


def _tags(rng: np.random.Generator, scene: Scene) -> list[str]:
    counts = _counted(scene)
    parts: list[str] = []
    for (kind, colour), count in counts.items():
        if kind == "creature":
            looks = creature_tags(next(f.creature for f in scene.figures if f.creature))
            parts += [f"{count}creature" if count == 1 else f"{count}creatures"]
            parts += ["solo"] if len(scene.figures) == 1 else []
            parts += [looks[0], *_kept(rng, looks[1:])]
        elif count == 1:
            parts += [f"1 {kind}", f"{colour} {kind}"] if rng.random() < 0.6 else [f"{colour} {kind}"]
        else:
            parts += [f"{count} {_plural(kind)}", f"{colour} {kind}"]
    if scene.size:
        parts.insert(1 if rng.random() < 0.5 else len(parts), scene.size)
    return parts


def _words(rng: np.random.Generator, scene: Scene) -> list[str]:
    phrases, extra = [], []
    for (kind, colour), count in _counted(scene).items():
        size = f"{scene.size} " if scene.size else ""
        noun = _plural(kind) if count > 1 else kind
        phrases.append(f"{_WORDS[count]} {size}{colour} {noun}")
        if kind == "creature":
            looks = creature_tags(next(f.creature for f in scene.figures if f.creature))
            extra = _kept(rng, looks[1:])
    return [" and ".join(phrases), *extra]


def _counted(scene: Scene) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for figure in scene.figures:
        counts[figure.kind, figure.colour] = counts.get((figure.kind, figure.colour), 0) + 1
    return counts


def _kept(rng: np.random.Generator, tags: list[str]) -> list[str]:
    kept = [tag for tag in tags if rng.random() < 0.85]
    rng.shuffle(kept)
    return kept


def _plural(kind: str) -> str:
    return "fish" if kind == "fish" else f"{kind}s"
