"""
Fewer events than happened, and the same state in the end.

A score in play may change faster than anybody can read. Of each match the first goes out at once, then at most one in
WINDOW_SECONDS, the latest; it carries what the ones that it stands for changed, because an event holds differences.
Order is never changed: whatever else goes out takes along what waits, so a match's end never overtakes its score, and
`seq` grows with every frame. After that all matches that waited start a new window, together.

Pure: the clock is the caller's.
"""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from apps.eventlog.log import Recorded

WINDOW_SECONDS = 0.1
COALESCED = frozenset({"score_updated"})

_decode = msgspec.json.Decoder(dict[str, dict[str, msgspec.Raw]]).decode
_encode = msgspec.json.Encoder().encode


class Coalescer:
    """What one room waits with. Times are in seconds, of any clock that does not go back."""

    __slots__ = ("_sent_at", "_waiting")

    def __init__(self) -> None:
        self._waiting: dict[str, Recorded] = {}  # subject -> the latest, with what it stands for
        self._sent_at: dict[str, float] = {}  # subject -> when one went out, if that may matter still

    def take(self, event: Recorded, now: float) -> list[Recorded]:
        """Take the next event of the room's log. Return what goes out now, in order."""
        if event.type in COALESCED:
            subject = event.subject
            sent_at = self._sent_at.get(subject)
            if sent_at is not None and now < sent_at + WINDOW_SECONDS:
                earlier = self._waiting.get(subject)
                self._waiting[subject] = event if earlier is None else merged(earlier, event)
                return []
            out = [*self.flush(now), event]
            self._sent_at[subject] = now
            return out
        return [*self.flush(now), event] if self._sent_at else [event]

    def flush(self, now: float) -> list[Recorded]:
        """Return all that waits, in order."""
        open_windows = {subject: at for subject, at in self._sent_at.items() if now < at + WINDOW_SECONDS}
        self._sent_at = open_windows | dict.fromkeys(self._waiting, now)
        out = sorted(self._waiting.values(), key=lambda event: event.seq)
        self._waiting = {}
        return out

    @property
    def due(self) -> float | None:
        """When to flush at the latest; None while nothing waits."""
        return min(self._sent_at[subject] for subject in self._waiting) + WINDOW_SECONDS if self._waiting else None


def conflated(events: Sequence[Recorded]) -> list[Recorded]:
    """Return the events without the scores that later ones replace, for somebody who gets all of them at once."""
    kept: dict[int, Recorded] = {}
    latest: dict[str, int] = {}  # subject -> seq of its last score, unless something else has happened since
    for event in events:
        if event.type in COALESCED:
            if (seq := latest.get(event.subject)) is not None:
                event = merged(kept.pop(seq), event)  # noqa: PLW2901 - the same event, richer
            latest[event.subject] = event.seq
        elif b'"match' in (data := bytes(event.data)) or b'"removed"' in data:
            latest.clear()  # of whatever matches: nothing may be moved past it
        kept[event.seq] = event
    return list(kept.values())


def merged(earlier: Recorded, later: Recorded) -> Recorded:
    """Return the later event with what the earlier one changed and it did not."""
    parts = _decode(earlier.data)
    for name, fields in _decode(later.data).items():
        parts[name] = {**parts.get(name, {}), **fields}
    return replace(later, data=msgspec.Raw(_encode(parts)))
