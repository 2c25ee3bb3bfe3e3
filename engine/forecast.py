"""How far a schedule slips as play goes on: what can begin when, if every match keeps its station and its turn."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from engine.schedule import Assignment, Fixture, by_id, require_known


def forecast(
    fixtures: Iterable[Fixture],
    assignments: Iterable[Assignment],
    *,
    now: int,
    rest: int = 0,
    begun: Collection[int] = (),
) -> list[Assignment]:
    """
    Return when the matches of a plan begin as things stand, in order of that time.

    A match that has not begun begins when it is planned to, or later: not before `now`, nor before its station is free,
    its entrants have rested and the matches that lead to it are over, as far as these are planned before it. Times as
    in engine.schedule.

    Args:
        assignments: the plan; of matches in play when they began. Not every match needs one.
        begun: matches in play. They stay; `minutes` of their fixtures is how long they will have taken.

    Raises:
        InvalidSchedule: a match is assigned twice or is not among the fixtures.

    Cost: O(n log n).
    """
    matches = by_id(fixtures)
    plan = list(assignments)
    require_known(plan, matches)
    station_free: dict[int, int] = defaultdict(lambda: now)
    entrant_free: dict[int, int] = defaultdict(lambda: now)
    over: dict[int, int] = {}
    found = []
    for planned in sorted(plan, key=lambda a: (a.match not in begun, a.start, a.match)):
        fixture = matches[planned.match]
        start = planned.start
        if planned.match not in begun:
            led_to = [over[feeder] + rest for feeder in fixture.feeders if feeder in over]
            entrants = [entrant_free[entrant] for entrant in fixture.entrants]
            start = max(start, station_free[planned.station], *entrants, *led_to)
        over[planned.match] = end = start + fixture.minutes
        station_free[planned.station] = max(station_free[planned.station], end)
        for entrant in fixture.entrants:
            entrant_free[entrant] = max(entrant_free[entrant], end + rest)
        found.append(Assignment(planned.match, planned.station, start))
    return sorted(found, key=lambda a: (a.start, a.match))
