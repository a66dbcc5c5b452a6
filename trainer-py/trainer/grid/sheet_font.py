"""A font for a text of any script, so that no prompt becomes a row of empty boxes."""

from functools import cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont

_SYSTEM_FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "LiberationSans-Regular.ttf",
    "segoeui.ttf",
    "arial.ttf",
    "Arial Unicode.ttf",
    "NotoSansCJK-Regular.ttc",
    "msgothic.ttc",
    "msyh.ttc",
    "Hiragino Sans GB.ttc",
    "AppleSDGothicNeo.ttc",
)
_CYRILLIC = {
    **dict(zip("абвгдеёзийклмнопрстуфыэ", "abvgdeeziyklmnoprstufye", strict=True)),
    **{"ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ь": "", "ю": "yu", "я": "ya"},
}


def font_for(text: str, size: int) -> tuple[Font, str]:
    """A font of `size` pixels and the text as it can be written with it.

    Pillow's own font for plain Latin; else the first system font that knows every letter; else Pillow's font, with
    Cyrillic in Latin letters and other unknown letters as U+….
    """
    letters = frozenset(letter for letter in text if not letter.isspace())
    for name in ("", *_SYSTEM_FONTS):
        if _exists(name) and all(_knows(name, letter) for letter in letters):
            return _load(name, size), text
    return _load("", size), "".join(_spelled(letter) for letter in text)


@cache
def _load(name: str, size: int) -> Font:
    font = ImageFont.truetype(name, size) if name else ImageFont.load_default(size)
    if not isinstance(font, Font):
        raise RuntimeError("this Pillow was built without FreeType and has no scalable font")
    return font


@cache
def _exists(name: str) -> bool:
    try:
        _load(name, _PROBE)
    except OSError:
        return False
    return True


@cache
def _knows(name: str, letter: str) -> bool:
    # A font draws every letter that it lacks as the same box.
    return _drawn(name, letter) != _drawn(name, _NO_LETTER)


def _drawn(name: str, letter: str) -> tuple[tuple[int, int], bytes]:
    mask = _load(name, _PROBE).getmask(letter)
    return mask.size, bytes(mask)


_PROBE = 20
_NO_LETTER = "\U0010ffff"


def _spelled(letter: str) -> str:
    if letter.isspace() or _knows("", letter):
        return letter
    if letter.lower() in _CYRILLIC:
        latin = _CYRILLIC[letter.lower()]
        return latin if letter.islower() else latin.capitalize()
    return _LATIN.get(letter, f"U+{ord(letter):04X}")


_LATIN = {"–": "-", "—": "-", "×": "x", "’": "'", "‘": "'"}
