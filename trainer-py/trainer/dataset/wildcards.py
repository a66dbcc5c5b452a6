"""kohya's wildcards: `{a|b}` is one of its parts, and of several lines one is taken."""

import random
import re

_CHOICE = re.compile(r"\{([^}]+)\}")


def resolved_wildcards(caption: str, source: random.Random | None) -> str:
    """One line of `caption` with each `{a|b|c}` replaced by one part; `{{` and `}}` are braces.

    Without a `source` of randomness the first line and the first parts are taken.
    """
    lines = caption.split("\n")
    line = source.choice(lines) if source and len(lines) > 1 else lines[0]
    # Signs that don't occur stand for the doubled braces meanwhile.
    opened, closed = "⦅", "⦆"
    while opened in line or closed in line:
        opened, closed = opened + "⦅", closed + "⦆"
    line = line.replace("{{", opened).replace("}}", closed)

    def one(match: re.Match[str]) -> str:
        parts = match.group(1).split("|")
        return source.choice(parts) if source else parts[0]

    return _CHOICE.sub(one, line).replace(opened, "{").replace(closed, "}")
