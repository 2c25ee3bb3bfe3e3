"""Who meets whom in the first round, by the seeds as they stand."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.bracket import MIN_ENTRANTS, Bracket
from engine.groups import snake
from engine.outline import planned
from engine.stages import Format, StageSettings

MOST_SHOWN = 64  # pairs


@dataclass(frozen=True, slots=True)
class FirstRound:
    """
    `pairs` and `byes` are seeds; `groups` are the seeds of each group of a round robin, when there are several.

    Of a Swiss the first round is paired by the table, so nothing is known before.
    """

    pairs: tuple[tuple[int, int], ...] = ()
    byes: tuple[int, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()


def first_round(format: Format, settings: StageSettings, entrants: int) -> FirstRound:
    """Return what the first round will be with so many entrants."""
    if entrants < MIN_ENTRANTS or format is Format.SWISS:
        return FirstRound()
    if format is Format.ROUND_ROBIN:
        if settings.groups < 2 or entrants < settings.groups * MIN_ENTRANTS:  # noqa: PLR2004 - one is no group
            return FirstRound()
        return FirstRound(groups=tuple(map(tuple, snake(_seeds(entrants), settings.groups))))
    pairs = [
        (plan.home_seed, plan.away_seed)
        for plan in planned(format, settings, entrants)
        if plan.bracket is Bracket.MAIN and plan.round == 1 and plan.home_seed and plan.away_seed
    ]
    playing = {seed for pair in pairs for seed in pair}
    byes = tuple(seed for seed in _seeds(entrants) if seed not in playing)
    return FirstRound(tuple(pairs[:MOST_SHOWN]), byes)


def _seeds(entrants: int) -> Sequence[int]:
    return range(1, entrants + 1)
