"""
Letters for pictures. No font is part of this project: those of the system are used, whichever has the character.

Text is drawn in runs, each in the first font that has its characters. What no font has is never drawn as an empty box:
a sign (an emoji, a star) is left out, and of a name with missing letters nothing is drawn but what stands for it.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby

import structlog
from django.conf import settings
from PIL import ImageDraw, ImageFont

logger = structlog.get_logger(__name__)

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_SCRIPTS = (
    "", "CJK", "Arabic", "Hebrew", "Devanagari", "Bengali", "Tamil", "Telugu", "Kannada", "Malayalam", "Gujarati",
    "Gurmukhi", "Sinhala", "Thai", "Lao", "Khmer", "Myanmar", "Georgian", "Armenian", "Ethiopic", "Symbols", "Symbols2",
)  # fmt: skip
# File names, as Debian, macOS and Windows have them; Pillow looks for them where the system keeps its fonts.
_KNOWN = (
    "DejaVuSans-Bold.ttf",
    *(
        f"NotoSans{script}-{weight}.{kind}"
        for script in _SCRIPTS
        for weight in ("Bold", "Regular")
        for kind in ("ttf", "ttc")
    ),
    "LiberationSans-Bold.ttf",
    "Arial Bold.ttf",
    "Arial Unicode.ttf",
    "arialbd.ttf",
    "msyhbd.ttc",
    "malgunbd.ttf",
    "unifont.otf",
)  # fmt: skip
_UNASSIGNED = "\U0010ffff"
_ANY_SIZE = 32
_JOINERS = "\u200c\u200d\ufe0e\ufe0f"
_SIGNS = frozenset({"So", "Sk", "Sm", "Cf", "Co", "Cs"})


@dataclass(frozen=True, slots=True)
class Name:
    """What somebody or something is called, and what stands for it where that cannot be drawn."""

    text: str
    otherwise: str = ""

    @property
    def drawable(self) -> str:
        """Return what can be drawn of it, an accent less where need be; empty only when both are."""
        drawn = [_substitute(char) for char in self.text]
        lost = next((char for char, shown in zip(self.text, drawn, strict=True) if shown is None), None)
        if lost is None:
            return " ".join("".join(filter(None, drawn)).split()) or self.otherwise
        _tell_of(unicodedata.name(lost, "?").split(" ", maxsplit=1)[0])
        return self.otherwise


def width(text: str, size: int) -> float:
    """Return how wide a text is, in pixels."""
    return sum(_sized(face, size).getlength(run) for face, run in _runs(text))


def put(draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, *, size: int, fill: str) -> None:
    """Draw a text whose base line begins at `at`."""
    x, y = at
    for face, run in _runs(text):
        font = _sized(face, size)
        draw.text((x, y), run, font=font, fill=fill, anchor="ls")
        x += font.getlength(run)


def fitting(text: str, room: float, sizes: tuple[int, ...]) -> tuple[str, int]:
    """Return the text at the largest size at which it fits into `room` pixels, shortened where it fits at none."""
    for size in sizes:
        if width(text, size) <= room:
            return text, size
    size = sizes[-1]
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if width(f"{text[:middle].rstrip()}…", size) <= room else (low, middle - 1)
    return f"{text[:low].rstrip()}…", size


def broken(text: str, room: float, size: int) -> tuple[str, str]:
    """Return as much of a text as fits into `room`, up to a space where there is one, and the rest."""
    end = len(text)
    while end > 1 and width(text[:end], size) > room:
        end = text.rfind(" ", 1, end - 1) if text.rfind(" ", 1, end - 1) > 0 else end - 1
    return text[:end].rstrip(), text[end:].lstrip()


def _runs(text: str) -> Iterator[tuple[str, str]]:
    """Cut a text where the font changes. A mark or joiner goes with what it stands on, a space with what is before."""
    faces: list[str] = []
    for char in text:
        goes_with = faces and (char.isspace() or char in _JOINERS or unicodedata.combining(char))
        faces.append(faces[-1] if goes_with else _face_for(char) or "")
    for face, pairs in groupby(zip(faces, text, strict=True), key=lambda pair: pair[0]):
        yield face, "".join(char for _, char in pairs)


def _substitute(char: str) -> str | None:
    """Return what is drawn for a character: itself, its letter without the accent, "" for a sign; None for nothing."""
    if _face_for(char) is not None:
        return char
    base = "".join(part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))
    if base and base != char and all(_face_for(part) is not None for part in base):
        return base
    return "" if unicodedata.category(char) in _SIGNS or unicodedata.combining(char) else None


@lru_cache(maxsize=10_000)
def _face_for(char: str) -> str | None:
    """Return the first font that has a character; "" is the Latin one that comes with Pillow."""
    if char in _JOINERS:
        return ""
    for face in _faces():
        if char.isspace() or _has(face, char):
            return face
    return None


@cache
def _faces() -> tuple[str, ...]:
    return (*(face for face in (*settings.SHARE_FONTS, *_KNOWN) if _opened(face) is not None), "")


@cache
def _opened(face: str) -> Font | None:
    # Simple layout: one character is asked for by itself.
    try:
        return ImageFont.truetype(face, _ANY_SIZE, layout_engine=ImageFont.Layout.BASIC)
    except OSError:
        return None


def _has(face: str, char: str) -> bool:
    """Return whether a font draws a character otherwise than one that cannot exist."""
    font = _opened(face) if face else ImageFont.load_default(_ANY_SIZE)
    return font is not None and bytes(font.getmask(char)) != bytes(font.getmask(_UNASSIGNED))


@lru_cache(maxsize=100)
def _sized(face: str, size: int) -> Font:
    return ImageFont.truetype(face, size) if face else ImageFont.load_default(size)


@cache
def _tell_of(script: str) -> None:
    """Say in the log, once for each script, why a name is missing from a picture."""
    logger.warning("share_font_missing", script=script, hint="docs/operations.md says which fonts to install")
