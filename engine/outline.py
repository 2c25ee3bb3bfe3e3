"""
What a way to play means before anybody has played: how many matches, in which rounds, and how long they take.

A guess for people who plan a day, not a schedule: entrants are all there, and every match takes its full time.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engine.bracket import Bracket, PlannedMatch
from engine.double_elimination import double_elimination
from engine.elimination import single_elimination
from engine.round_robin import grouped_round_robin
from engine.schedule import Fixture, Station, plan_schedule
from engine.stages import Format, StageSettings, best_of_in, last_rounds
from engine.swiss import rounds_needed

MOST_PLANNED = 600  # matches; a larger stage is counted in waves, which takes no time


@dataclass(frozen=True, slots=True)
class RoundOutline:
    """The matches of one round of one part of a stage. `last`: the last round of that part."""

    bracket: Bracket
    round: int
    last: int
    matches: int
    best_of: int


@dataclass(frozen=True, slots=True)
class Outline:
    """
    `matches` may be one more, `with_reset`, if a grand final is played again. `least` and `most`: of one entrant.

    `minutes`: from the first match to the last, on the stations asked about.
    """

    matches: int
    with_reset: bool
    rounds: tuple[RoundOutline, ...]
    least: int
    most: int
    minutes: int


def outline(format: Format, settings: StageSettings, entrants: int, *, stations: int, match_minutes: int) -> Outline:
    """
    Return what a stage of so many entrants comes to. `match_minutes`: of a match of one game.

    Raises:
        InvalidField: too few or too many entrants for the format.
    """
    if format is Format.SWISS:
        return _swiss(settings, entrants, stations, match_minutes)
    plan = planned(format, settings, entrants)
    resets = [match for match in plan if match.bracket is Bracket.GRAND_FINAL and match.round > 1]
    plan = [match for match in plan if match not in resets]
    last = last_rounds((match.bracket, match.round) for match in plan)
    lengths = {m.number: _length(format, settings, m.bracket, m.round, last) for m in plan}
    counted = Counter((match.bracket, match.round) for match in plan)
    rounds = tuple(
        RoundOutline(bracket, round_, last[bracket], count, _length(format, settings, bracket, round_, last))
        for (bracket, round_), count in sorted(counted.items(), key=lambda item: (_ORDER.index(item[0][0]), item[0][1]))
    )
    least, most = _of_one(format, settings, entrants, rounds)
    minutes = {number: best_of * match_minutes for number, best_of in lengths.items()}
    return Outline(len(plan), bool(resets), rounds, least, most, _minutes(plan, minutes, stations))


def planned(format: Format, settings: StageSettings, entrants: int) -> list[PlannedMatch]:
    """Return the matches that are known from the start: all of them, none of a Swiss."""
    match format:
        case Format.SINGLE_ELIMINATION:
            return single_elimination(entrants, third_place=settings.third_place_match)
        case Format.DOUBLE_ELIMINATION:
            return double_elimination(entrants, reset=settings.grand_final_reset)
        case Format.ROUND_ROBIN:
            groups = max(min(settings.groups, entrants // 2), 1)
            sizes = [entrants // groups + (number < entrants % groups) for number in range(groups)]
            return grouped_round_robin(sizes, legs=settings.legs)
        case Format.SWISS:
            return []


_ORDER = (Bracket.MAIN, Bracket.LOWER, Bracket.THIRD_PLACE, Bracket.GRAND_FINAL)


def _length(format: Format, settings: StageSettings, bracket: Bracket, round_: int, last: dict[Bracket, int]) -> int:
    return best_of_in(settings, bracket, round_, 0 if format.is_league else last[bracket])


def _of_one(format: Format, settings: StageSettings, entrants: int, rounds: Sequence[RoundOutline]) -> tuple[int, int]:
    """Return how many matches an entrant plays at least and at most."""
    if format is Format.ROUND_ROBIN:
        groups = max(min(settings.groups, entrants // 2), 1)
        return (entrants // groups - 1) * settings.legs, (-(-entrants // groups) - 1) * settings.legs
    main = max((row.last for row in rounds if row.bracket is Bracket.MAIN), default=1)
    if format is Format.DOUBLE_ELIMINATION:
        lower = max((row.last for row in rounds if row.bracket is Bracket.LOWER), default=0)
        return 2, max(main, 1 + lower) + 1
    return 1, main


def _minutes(plan: Sequence[PlannedMatch], minutes: dict[int, int], stations: int) -> int:
    if len(plan) > MOST_PLANNED:
        return -(-sum(minutes.values()) // stations)
    feeders: dict[int, list[int]] = {match.number: [] for match in plan}
    for match in plan:
        for place in (match.winner_to, match.loser_to):
            if place is not None and place.match in feeders:
                feeders[place.match].append(match.number)
    fixtures = [
        Fixture(
            match=match.number,
            minutes=minutes[match.number],
            entrants=tuple(
                match.group * 10_000 + seed for seed in (match.home_seed, match.away_seed) if seed is not None
            ),
            feeders=tuple(feeders[match.number]),
            round=match.round,
        )
        for match in plan
    ]
    found = plan_schedule(fixtures, [Station(number) for number in range(1, stations + 1)])
    return max(one.start + minutes[one.match] for one in found)


def _swiss(settings: StageSettings, entrants: int, stations: int, match_minutes: int) -> Outline:
    number = settings.rounds or rounds_needed(entrants)
    at_once = entrants // 2
    lengths = [best_of_in(settings, Bracket.MAIN, round_, 0) for round_ in range(1, number + 1)]
    rounds = tuple(
        RoundOutline(Bracket.MAIN, round_, number, at_once, best_of) for round_, best_of in enumerate(lengths, start=1)
    )
    waves = -(-at_once // stations)
    minutes = sum(waves * best_of * match_minutes for best_of in lengths)
    return Outline(at_once * number, False, rounds, number - entrants % 2, number, minutes)
