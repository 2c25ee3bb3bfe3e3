"""What is wrong with a schedule that somebody has changed by hand."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from engine.schedule import Assignment, Fixture, Station, by_id, require_known
from engine.text import gettext as _


class Clash(StrEnum):
    """Kinds of conflict. REST: not at the same time, but closer together than the rest."""

    STATION = "station"
    ENTRANT = "entrant"
    FEEDER = "feeder"
    REST = "rest"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Conflict:
    """
    What is wrong with a plan; `str()` is a sentence with ids in place of names.

    `matches` are the two concerned, the earlier or the feeder first; for CLOSED it is one. `subject` is the station,
    the entrant, or None between a match and its feeder.
    """

    clash: Clash
    matches: tuple[int, ...]
    subject: int | None = None

    def __str__(self) -> str:
        first, last, subject = self.matches[0], self.matches[-1], self.subject
        match self.clash:
            case Clash.STATION:
                return _(
                    "Station {subject} has matches {first} and {last} at the same time.",
                    subject=subject,
                    first=first,
                    last=last,
                )
            case Clash.ENTRANT:
                return _(
                    "Entrant {subject} plays matches {first} and {last} at the same time.",
                    subject=subject,
                    first=first,
                    last=last,
                )
            case Clash.FEEDER:
                return _(
                    "Match {last} begins before match {first}, which it waits for, is over.", last=last, first=first
                )
            case Clash.REST if subject is None:
                return _(
                    "Match {last} begins too soon after match {first}, which it waits for; entrants need their rest.",
                    last=last,
                    first=first,
                )
            case Clash.REST:
                return _(
                    "Entrant {subject} has too little rest between matches {first} and {last}.",
                    subject=subject,
                    first=first,
                    last=last,
                )
            case Clash.CLOSED:
                return _("Station {subject} is not open for all of match {first}.", subject=subject, first=first)


def conflicts(
    fixtures: Iterable[Fixture],
    assignments: Iterable[Assignment],
    *,
    stations: Iterable[Station] = (),
    rest: int = 0,
) -> list[Conflict]:
    """
    Return every conflict of a plan, in order of time: a station or an entrant with two matches at once, a match that
    begins before its feeder is over, too little rest, and a match outside the hours of one of `stations`.

    Not every match needs an assignment. A change by hand is safe if it adds nothing to the conflicts there were.

    Raises:
        InvalidSchedule: a match is assigned twice or is not among the fixtures.

    Cost: O(n log n + conflicts).
    """
    matches = by_id(fixtures)
    assignments = list(assignments)
    require_known(assignments, matches)
    spans = {
        a.match: _Span(a.match, a.start, a.start + matches[a.match].minutes)
        for a in sorted(assignments, key=lambda a: (a.start, a.match))
    }
    station_of = {a.match: a.station for a in assignments}
    at_station: dict[int, list[_Span]] = defaultdict(list)
    of_entrant: dict[int, list[_Span]] = defaultdict(list)
    for match, span in spans.items():
        at_station[station_of[match]].append(span)
        for entrant in set(matches[match].entrants):
            of_entrant[entrant].append(span)
    found = [
        *_at_once(Clash.STATION, at_station, 0),
        *_at_once(Clash.ENTRANT, of_entrant, rest),
        *_too_early(matches, spans, rest),
        *_closed(stations, at_station),
    ]
    return sorted(found, key=lambda c: (spans[c.matches[-1]].start, c.matches, c.clash, c.subject or 0))


@dataclass(frozen=True, slots=True)
class _Span:
    match: int
    start: int
    end: int


def _at_once(clash: Clash, busy: Mapping[int, list[_Span]], rest: int) -> Iterator[Conflict]:
    for subject, spans in busy.items():
        for i, first in enumerate(spans):
            for last in spans[i + 1 :]:
                if last.start >= first.end + rest:
                    break
                kind = clash if last.start < first.end else Clash.REST
                yield Conflict(kind, (first.match, last.match), subject)


def _too_early(matches: Mapping[int, Fixture], spans: Mapping[int, _Span], rest: int) -> Iterator[Conflict]:
    for match, span in spans.items():
        for feeder in set(matches[match].feeders) & spans.keys():
            end = spans[feeder].end
            if span.start < end + rest:
                yield Conflict(Clash.FEEDER if span.start < end else Clash.REST, (feeder, match))


def _closed(stations: Iterable[Station], at_station: Mapping[int, list[_Span]]) -> Iterator[Conflict]:
    for station in stations:
        for span in at_station.get(station.id, ()):
            too_early = station.opens is not None and span.start < station.opens
            if too_early or (station.closes is not None and span.end > station.closes):
                yield Conflict(Clash.CLOSED, (span.match,), station.id)
