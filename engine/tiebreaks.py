"""
Measures that order a standing, by name.

An ordered list of parts is a rule: the first part orders everybody, each further one those who are still level. A
part is a measure and a scope. "wins" counts all matches, "tied:wins" only those among the entrants who are level.

Sources: FIDE C.07 (articles 6 head-to-head, 7 wins, 8 Buchholz, 9 Sonneborn-Berger, 14 cuts, 16 unplayed rounds), and
for the rates the Magic tournament rules, appendix C. All is exact: halves are exact in floating point, and rates are
fractions until they are complete, so the order of the results has no effect.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Self

from engine.crosstable import Contribution, Crosstable, Row
from engine.errors import InvalidTieBreak
from engine.text import Listed, Text
from engine.text import gettext as _

RATE_FLOOR = Fraction(33, 100)
TIED = "tied:"


class Measure(StrEnum):
    """
    What entrants are compared by. More is better, except for SEED and DRAW.

    POINTS, WINS (with byes that are worth one), SCORE_DIFFERENCE and SCORED (games, goals) add up the matches.
    GAME_WIN_RATE is the share of SCORED in all that was scored in an entrant's matches, 0.33 at least.

    HEAD_TO_HEAD is "tied:points". In a Swiss not all of the tied may have met; it then only takes out, one after the
    other from the top, whoever would stay first whatever the missing matches brought (article 6).

    BUCHHOLZ adds up what the opponents are worth, BUCHHOLZ_CUT1 without the lowest (of voluntarily unplayed rounds if
    there are any), MEDIAN_BUCHHOLZ also without the highest. SONNEBORN_BERGER multiplies each by the points won
    against them. OPPONENTS_WIN_RATE is the mean share of possible points that the opponents who were met have won in
    the rounds they took part in, each 0.33 at least.

    SEED is the place in the order of entrants that was given, DRAW the lot that was drawn.
    """

    POINTS = "points"
    WINS = "wins"
    HEAD_TO_HEAD = "head_to_head"
    SCORE_DIFFERENCE = "score_difference"
    SCORED = "scored"
    BUCHHOLZ = "buchholz"
    BUCHHOLZ_CUT1 = "buchholz_cut1"
    MEDIAN_BUCHHOLZ = "median_buchholz"
    SONNEBORN_BERGER = "sonneborn_berger"
    OPPONENTS_WIN_RATE = "opponents_win_rate"
    GAME_WIN_RATE = "game_win_rate"
    SEED = "seed"
    DRAW = "draw"

    @property
    def label(self) -> Text:
        """Return the name in a sentence: "above Ada by …"."""
        return _LABELS[self]


_LABELS = {
    Measure.POINTS: _("points"),
    Measure.WINS: _("wins"),
    Measure.HEAD_TO_HEAD: _("head-to-head"),
    Measure.SCORE_DIFFERENCE: _("score difference"),
    Measure.SCORED: _("total score"),
    Measure.BUCHHOLZ: _("Buchholz"),
    Measure.BUCHHOLZ_CUT1: _("Buchholz Cut-1"),
    Measure.MEDIAN_BUCHHOLZ: _("median Buchholz"),
    Measure.SONNEBORN_BERGER: _("Sonneborn-Berger"),
    Measure.OPPONENTS_WIN_RATE: _("opponents’ win rate"),
    Measure.GAME_WIN_RATE: _("game win rate"),
    Measure.SEED: _("seed"),
    Measure.DRAW: _("drawing lots"),
}
LOWER_IS_BETTER = frozenset({Measure.SEED, Measure.DRAW})
RATES = frozenset({Measure.OPPONENTS_WIN_RATE, Measure.GAME_WIN_RATE})


@dataclass(frozen=True, slots=True)
class Part:
    """One step of the order: a measure, over all matches or (`tied`) only those among the entrants still level."""

    measure: Measure
    tied: bool = False

    def __post_init__(self) -> None:
        if self.measure is Measure.HEAD_TO_HEAD:
            object.__setattr__(self, "tied", True)
        if self.tied and self.measure not in _OF_ROWS:
            raise InvalidTieBreak(
                _(
                    "“{tied}{measure}” cannot be counted. “{tied}” goes with: {scoped}.",
                    tied=TIED,
                    measure=self.measure,
                    scoped=Listed(measure for measure in Measure if measure in _OF_ROWS),
                )
            )

    @classmethod
    def parse(cls, name: str) -> Self:
        """
        Return the part of a name like "buchholz" or "tied:points".

        Raises:
            InvalidTieBreak: there is no such measure, or it cannot be limited to the matches of the tied.
        """
        measure = name.removeprefix(TIED)
        if measure not in Measure.__members__.values():
            raise InvalidTieBreak(_("“{name}” is no tie-break. There are: {names}.", name=name, names=Listed(Measure)))
        return cls(Measure(measure), tied=measure != name)

    def __str__(self) -> str:
        name = self.measure.value
        return TIED + name if self.tied and self.measure is not Measure.HEAD_TO_HEAD else name


def overall(measure: Measure, table: Crosstable, lots: Mapping[int, int]) -> dict[int, float]:
    """Return the value of every entrant, in O(results)."""
    match measure:
        case Measure.POINTS:
            return table.totals
        case Measure.OPPONENTS_WIN_RATE:
            return _opponents_win_rate(table)
        case Measure.SEED:
            return {entrant: seed for seed, entrant in enumerate(table.entrants, start=1)}
        case Measure.DRAW:
            return {entrant: lots[entrant] for entrant in table.entrants}
    if measure in _OF_CONTRIBUTIONS:
        of = _OF_CONTRIBUTIONS[measure]
        return {entrant: of(added) for entrant, added in table.contributions.items()}
    of_rows = _OF_ROWS[measure]
    return {entrant: of_rows(rows) for entrant, rows in table.rows.items()}


def among(measure: Measure, table: Crosstable, tied: Collection[int]) -> dict[int, float]:
    """Return the value of each of the `tied` in the matches that they have met each other in."""
    of_rows = _OF_ROWS[measure]
    members = frozenset(tied)
    return {
        entrant: of_rows([row for row in table.rows[entrant] if row.met and row.opponent in members])
        for entrant in tied
    }


def missing_matches(table: Crosstable, tied: Collection[int]) -> dict[int, int]:
    """Return how many of the other `tied` each of them has not met."""
    members = frozenset(tied)
    return {
        entrant: len(members) - 1 - len({row.opponent for row in table.rows[entrant] if row.met} & members)
        for entrant in tied
    }


def certain_leader(points: Mapping[int, float], missing: Mapping[int, int], win: float) -> int | None:
    """Return who leads the tied whatever their missing matches would bring; None if nobody does."""
    leader = max(points, key=points.__getitem__)
    for entrant, own in points.items():
        if entrant != leader and own + missing[entrant] * win >= points[leader]:
            return None
    return leader


def _points(rows: Iterable[Row]) -> float:
    return sum(row.points for row in rows)


def _wins(rows: Iterable[Row]) -> float:
    return sum(row.won for row in rows)


def _scored(rows: Iterable[Row]) -> float:
    return sum(row.scored for row in rows)


def _score_difference(rows: Iterable[Row]) -> float:
    return sum(row.scored - row.conceded for row in rows)


def _game_win_rate(rows: Sequence[Row]) -> float:
    scored, conceded = sum(row.scored for row in rows), sum(row.conceded for row in rows)
    return float(max(Fraction(scored, scored + conceded), RATE_FLOOR)) if scored else float(RATE_FLOOR)


def _buchholz(added: Sequence[Contribution]) -> float:
    return sum(contribution.score for contribution in added)


def _cut_lowest(added: Sequence[Contribution]) -> list[Contribution]:
    if not added:
        return []
    kept = list(added)
    kept.remove(min(kept, key=lambda contribution: (not contribution.voluntary, contribution.score)))
    return kept


def _buchholz_cut1(added: Sequence[Contribution]) -> float:
    return _buchholz(_cut_lowest(added))


def _median_buchholz(added: Sequence[Contribution]) -> float:
    kept = _cut_lowest(added)
    return _buchholz(kept) - max((contribution.score for contribution in kept), default=0)


def _sonneborn_berger(added: Sequence[Contribution]) -> float:
    return sum(contribution.score * contribution.points for contribution in added)


def _opponents_win_rate(table: Crosstable) -> dict[int, float]:
    win, rates = Fraction(table.points.win), {}
    for entrant, rows in table.rows.items():
        possible = win * len(rows)
        rates[entrant] = max(Fraction(table.totals[entrant]) / possible, RATE_FLOOR) if possible else RATE_FLOOR
    means = {}
    for entrant, rows in table.rows.items():
        met = [rates[row.opponent] for row in rows if row.met and row.opponent is not None]
        means[entrant] = float(sum(met, start=Fraction()) / len(met) if met else RATE_FLOOR)
    return means


_OF_ROWS: Mapping[Measure, Callable[[Sequence[Row]], float]] = {
    Measure.POINTS: _points,
    Measure.HEAD_TO_HEAD: _points,
    Measure.WINS: _wins,
    Measure.SCORE_DIFFERENCE: _score_difference,
    Measure.SCORED: _scored,
    Measure.GAME_WIN_RATE: _game_win_rate,
}
_OF_CONTRIBUTIONS: Mapping[Measure, Callable[[Sequence[Contribution]], float]] = {
    Measure.BUCHHOLZ: _buchholz,
    Measure.BUCHHOLZ_CUT1: _buchholz_cut1,
    Measure.MEDIAN_BUCHHOLZ: _median_buchholz,
    Measure.SONNEBORN_BERGER: _sonneborn_berger,
}
