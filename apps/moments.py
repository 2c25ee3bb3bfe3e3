"""Times in sentences, whose reader may be in any zone."""

from datetime import UTC, datetime
from typing import Any, Self


class Moment(str):
    """A time in a sentence, in English and UTC: "22 Nov 2026, 18:05 UTC". `at` is the time, for another zone."""

    __slots__ = ("at",)

    at: datetime

    def __new__(cls, at: datetime) -> Self:
        utc = at.astimezone(UTC)
        text = super().__new__(cls, f"{utc.day} {utc:%b %Y, %H:%M} UTC")
        text.at = at
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.at,)
