"""Measured and wrapped text for the sheet."""

from dataclasses import dataclass

from PIL import ImageDraw

from trainer.grid.sheet_font import font_for

_LEADING = 1.4


@dataclass(frozen=True)
class Text:
    """Lines of one size (pixels) and colour."""

    lines: tuple[str, ...]
    size: int
    colour: str

    @property
    def height(self) -> int:
        return round(len(self.lines) * self.size * _LEADING)

    @property
    def width(self) -> int:
        return max((text_width(line, self.size) for line in self.lines), default=0)


def text_width(text: str, size: int) -> int:
    font, written = font_for(text, size)
    return round(font.getlength(written))


def wrapped(text: str, size: int, width: int, colour: str) -> Text:
    """`text` in lines of at most `width` pixels, broken between words, or within a word that is longer than a line."""
    lines = [""]
    for word in text.split():
        for part in _parts(word, size, width):
            longer = f"{lines[-1]} {part}".strip()
            if text_width(longer, size) <= width:
                lines[-1] = longer
            else:
                lines.append(part)
    return Text(tuple(lines), size, colour)


def draw_text(draw: ImageDraw.ImageDraw, text: Text, x: int, y: int, align: str = "left") -> None:
    """Draw below `y`, from `x` on (left), up to it (right) or about it (centre)."""
    anchor = {"left": "lm", "right": "rm", "centre": "mm"}[align]
    for index, line in enumerate(text.lines):
        font, written = font_for(line, text.size)
        middle = y + (index + 0.5) * text.size * _LEADING
        draw.text((x, middle), written, fill=text.colour, font=font, anchor=anchor)


def _parts(word: str, size: int, width: int) -> list[str]:
    parts = []
    while text_width(word, size) > width and len(word) > 1:
        fits = max(1, next(n for n in range(len(word), 0, -1) if n == 1 or text_width(word[:n], size) <= width))
        parts.append(word[:fits])
        word = word[fits:]
    return [*parts, word]
