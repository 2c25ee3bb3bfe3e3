"""Results as each entrant sees them: the rows from which every measure of a standing is computed."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from engine.errors import InvalidField, InvalidTieBreak
from engine.results import Points, Result
from engine.text import gettext as _

CAPPED_FROM = 2026
RULE_YEARS = (2024, CAPPED_FROM)


class Row(NamedTuple):
    """
    One result of one entrant. `opponent` is None for a bye.

    `won`: also a bye that is worth as much as a win (FIDE C.07, 7.1). `lost`: also by forfeit, where both can lose.
    `met`: the opponent counts as one who was played. `voluntary`: unplayed, and by the entrant's own doing.
    """

    round: int
    opponent: int | None
    points: float
    scored: int
    conceded: int
    won: bool
    lost: bool
    met: bool
    voluntary: bool

    @property
    def drawn(self) -> bool:
        return self.opponent is not None and not (self.won or self.lost)


class Contribution(NamedTuple):
    """What one round adds to Buchholz (`score`) and to Sonneborn-Berger (`score` times `points`)."""

    score: float
    points: float
    voluntary: bool


class Crosstable:
    """
    The rows of every entrant after `rounds` rounds; later results are left out.

    `predetermined`: who meets whom was fixed at the start, as in a round robin. Forfeited matches then count as met,
    and a round without a match counts for nothing (FIDE C.07, article 15). Otherwise, as in a Swiss:

    * A forfeited match is no match; both entrants have an unplayed round.
    * An own unplayed round is a match against a dummy that has the entrant's own score. From the rules of 2026 on,
      the dummy has at most the adjusted score of the opponent who was drawn, or, where there was none, a draw per
      round (16.4).
    * Opponents are worth their adjusted score: rounds that they missed count as draws when nothing but lost forfeits
      and missed rounds follows, as after a withdrawal (16.2.5, 16.3.2).
    * A missed round and a lost forfeit are voluntary, a bye and a won forfeit are not (16.1.2).

    `playing`: entrants whose match of the last round is open. It is not an unplayed round for them, and worth nothing
    yet; the regulations know only complete rounds.

    Raises:
        InvalidField: a result names somebody who is not an entrant, or an entrant twice in a round.
        InvalidTieBreak: the rules of that year are not known.

    Cost: O(entrants + results), and so are the properties, each computed once.
    """

    def __init__(
        self,
        entrants: Sequence[int],
        results: Iterable[Result],
        *,
        rounds: int,
        points: Points,
        rule_year: int,
        predetermined: bool,
        playing: frozenset[int] = frozenset(),
    ) -> None:
        if rule_year not in RULE_YEARS:
            raise InvalidTieBreak(
                _(
                    "There are the rules of {first} and {last}, not of {year}.",
                    first=RULE_YEARS[0],
                    last=RULE_YEARS[-1],
                    year=rule_year,
                )
            )
        self.entrants, self.rounds, self.points = entrants, rounds, points
        self.rule_year, self.predetermined, self.playing = rule_year, predetermined, playing
        self.rows: dict[int, list[Row]] = {entrant: [] for entrant in entrants}
        if len(self.rows) != len(entrants):
            raise InvalidField(_("An entrant is listed twice; list each of them once."))
        for result in results:
            if result.round <= rounds:
                self._add(result.home, result.away, result, result.home_score, result.away_score)
                if result.away is not None:
                    self._add(result.away, result.home, result, result.away_score, result.home_score)
        for entrant, rows in self.rows.items():
            if len({row.round for row in rows}) != len(rows):
                raise InvalidField(
                    _("Entrant {entrant} has two results in one round; only one can count.", entrant=entrant)
                )

    def _add(self, entrant: int, opponent: int | None, result: Result, scored: int, conceded: int) -> None:
        if entrant not in self.rows:
            raise InvalidField(
                _(
                    "A result of round {round} names {entrant}, who is not among the entrants.",
                    round=result.round,
                    entrant=entrant,
                )
            )
        worth = self.points
        if opponent is None:
            won, lost, points = worth.bye >= worth.win, False, worth.bye
        else:
            won = result.winner == entrant
            lost = not won and (result.forfeit or result.winner is not None)
            points = worth.win if won else worth.loss if lost else worth.draw
        met = opponent is not None and (self.predetermined or not result.forfeit)
        self.rows[entrant].append(
            Row(result.round, opponent, points, scored, conceded, won, lost, met, lost and result.forfeit)
        )

    @cached_property
    def totals(self) -> dict[int, float]:
        """Each entrant's points."""
        return {entrant: sum(row.points for row in rows) for entrant, rows in self.rows.items()}

    @cached_property
    def adjusted(self) -> dict[int, float]:
        """What each entrant is worth as an opponent."""
        if self.predetermined:
            return self.totals
        adjusted = {}
        for entrant, rows in self.rows.items():
            adjusted[entrant] = self.totals[entrant]
            if entrant not in self.playing:
                present = max((row.round for row in rows if not row.voluntary), default=0)
                missed = self.rounds - present - sum(row.round > present for row in rows)
                adjusted[entrant] += missed * self.points.draw
        return adjusted

    @cached_property
    def contributions(self) -> dict[int, list[Contribution]]:
        """What each round of each entrant adds to the measures of the Buchholz family."""
        adjusted, contributions = self.adjusted, {}
        for entrant, rows in self.rows.items():
            added = []
            for row in rows:
                if row.met and row.opponent is not None:
                    added.append(Contribution(adjusted[row.opponent], row.points, voluntary=False))
                elif not self.predetermined:
                    added.append(Contribution(self._dummy(entrant, row.opponent), row.points, row.voluntary))
            if not self.predetermined:
                missed = self.rounds - len(rows) - (entrant in self.playing)
                added += [Contribution(self._dummy(entrant, None), 0, voluntary=True)] * missed
            contributions[entrant] = added
        return contributions

    def _dummy(self, entrant: int, opponent: int | None) -> float:
        own = self.totals[entrant]
        if self.rule_year < CAPPED_FROM:
            return own
        return min(own, self.rounds * self.points.draw if opponent is None else self.adjusted[opponent])
