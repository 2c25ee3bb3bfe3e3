"""Clean what people type before it is stored and broadcast."""

import re
import unicodedata
from datetime import UTC, datetime

from apps.errors import BadRequest
from apps.tournaments.labels import words
from engine.text import gettext as _

# Characters that reorder or hide the text around them. The joiners U+200C and U+200D stay: Persian and emoji need them.
_INVISIBLE = {chr(c) for c in (0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF)}
_MARKS_IN_A_ROW = 4
_YEARS = range(2000, 2101)
# Letters that Unicode does not take for one with a mark on it, as people type them without the key.
_PLAIN = str.maketrans({"\u0131": "i", "ø": "o", "đ": "d", "ł": "l", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"})
_WORD = re.compile(r"[^\W_]+")


def words_of(text: str) -> list[str]:
    """
    Return the words of a text as a search compares them: in lower case, without accents, each once.

    Where words are not written apart (Chinese, Japanese, Thai), each end of a run of letters is one, too, so that what
    stands inside it is found.
    """
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    found: dict[str, None] = {}
    for word in _WORD.findall(plain.casefold().translate(_PLAIN)):
        found[word] = None
        if any(unicodedata.category(char) == "Lo" for char in word):
            found |= dict.fromkeys(word[start:] for start in range(1, len(word)))
    return list(found)


def clean_line(field: str, value: str, *, at_most: int, required: bool = False) -> str:
    """
    Return one line: NFC, single spaces, no control characters.

    Raises:
        BadRequest: too long, empty when required, or holds characters that break the line around it.
    """
    return _checked(field, " ".join(value.split()), at_most=at_most, required=required)


def clean_text(field: str, value: str, *, at_most: int) -> str:
    """Return text that may have several lines. Raises BadRequest as `clean_line` does."""
    lines = (" ".join(line.split()) for line in value.splitlines())
    return _checked(field, "\n".join(lines).strip(), at_most=at_most, required=False)


def clean_moment(field: str, value: datetime) -> datetime:
    """
    Return a time in UTC, without fractions of a second.

    Raises:
        BadRequest: it has no time zone, or lies in a year in which nobody plays.
    """
    if value.tzinfo is None:
        message = _("A time needs its time zone, for example 2026-11-22T18:00:00Z.")
        raise BadRequest(message, field=field)
    if value.year not in _YEARS:  # which leaves room at both ends for the step to another zone
        message = _("A time here lies in the years {first} to {last}.", first=_YEARS[0], last=_YEARS[-1])
        raise BadRequest(message, field=field)
    # PostgreSQL does not know every offset that Python does.
    return value.replace(microsecond=0).astimezone(UTC)


def _checked(field: str, value: str, *, at_most: int, required: bool) -> str:
    text = unicodedata.normalize("NFC", value)
    label = words(field)
    if required and not text:
        message = _("The {label} is missing.", label=label)
        raise BadRequest(message, field=field)
    if len(text) > at_most:
        message = _(
            "The {label} has {count} characters; at most {at_most} fit.", label=label, count=len(text), at_most=at_most
        )
        raise BadRequest(message, field=field)
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if (category in ("Cc", "Cs", "Co") and character != "\n") or character in _INVISIBLE:
            message = _("The {label} has characters that cannot be shown. Type it again without them.", label=label)
            raise BadRequest(message, field=field)
        if marks > _MARKS_IN_A_ROW:
            message = _("The {label} piles too many accents on one letter.", label=label)
            raise BadRequest(message, field=field)
    return text
