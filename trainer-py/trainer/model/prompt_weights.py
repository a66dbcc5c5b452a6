"""Weights in texts, `(tag:1.2)`, `(tag)`, `[tag]`, as A1111's WebUI and kohya read them."""

import re

# The longest marks first, so that "(" of an escaped bracket is not taken for one that opens.
_MARKS = re.compile(r"\\.|\\$|\(|\[|:\s*([+-]?[.\d]+)\s*\)|\)|\]|[^\\()\[\]:]+|:")
_FACTORS = {"(": 1.1, "[": 1 / 1.1}


def weighted_parts(text: str) -> list[tuple[str, float]]:
    """`text` in parts with their weights; equal neighbours are one part. An open bracket closes at the end."""
    parts: list[tuple[str, float]] = []
    opened: dict[str, list[int]] = {"(": [], "[": []}
    for match in _MARKS.finditer(text):
        mark, number = match.group(0), match.group(1)
        closes = "(" if number is not None or mark == ")" else "[" if mark == "]" else ""
        if mark in opened:
            opened[mark].append(len(parts))
        elif closes and opened[closes]:
            factor = _FACTORS[closes] if number is None else _number(number)
            _weigh(parts, opened[closes].pop(), factor)
        else:
            parts.append((mark[1:] if mark.startswith("\\") else mark, 1.0))
    for bracket, starts in opened.items():
        for start in starts:
            _weigh(parts, start, _FACTORS[bracket])
    return _merged(parts) or [("", 1.0)]


def _weigh(parts: list[tuple[str, float]], start: int, factor: float) -> None:
    parts[start:] = [(words, weight * factor) for words, weight in parts[start:]]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0  # "1.2.3" weighs nothing


def _merged(parts: list[tuple[str, float]]) -> list[tuple[str, float]]:
    merged: list[tuple[str, float]] = []
    for words, weight in parts:
        if merged and merged[-1][1] == weight:
            merged[-1] = (merged[-1][0] + words, weight)
        else:
            merged.append((words, weight))
    return merged
