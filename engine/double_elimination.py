"""
Double elimination: who has lost twice is out.

Losers of the upper bracket drop into the lower one. Its rounds alternate: in odd ones its survivors meet each other, in
even ones they meet the entrants who have just dropped. The winners of both brackets play the grand final.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engine.bracket import MAX_ENTRANTS, MIN_ENTRANTS, Bracket, Place, PlannedMatch, Side
from engine.errors import InvalidField
from engine.seeding import bracket_order, bracket_size
from engine.text import gettext as _


def double_elimination(entrants: int, *, reset: bool = True) -> list[PlannedMatch]:
    """
    Return the matches for seeds 1..entrants, in the order of play; the grand final (and its reset) come last.

    Args:
        entrants: 2 to 4096.
        reset: the grand final is played again when the lower champion wins it, so that nobody is out after one loss.

    Byes go to the best seeds. A bye is a pass: it has no match and no loser, so whoever would have met that loser in
    the lower bracket passes as well. A first lower round of nothing but passes does not count as a round. Two who
    have met in the upper bracket meet again in the lower one as late as any order of drops allows (see `drop_mask`).

    Raises:
        InvalidField: too few or too many entrants.

    Cost: O(entrants). There are 2 * entrants - 2 matches, plus the reset.
    """
    if not MIN_ENTRANTS <= entrants <= MAX_ENTRANTS:
        message = _(
            "A double-elimination bracket takes {least} to {most} entrants, not {entrants}.",
            least=MIN_ENTRANTS,
            most=MAX_ENTRANTS,
            entrants=entrants,
        )
        raise InvalidField(message)
    size = bracket_size(entrants)
    last_round = size.bit_length() - 1
    plan = _Plan()
    upper, lower = plan.play_round(Bracket.MAIN, [seed if seed <= entrants else None for seed in bracket_order(size)])
    for round_ in range(2, last_round + 1):
        upper, dropped = plan.play_round(Bracket.MAIN, upper)
        lower, _lost = plan.play_round(Bracket.LOWER, lower)
        mask = drop_mask(round_, last_round)
        lower, _lost = plan.play_round(
            Bracket.LOWER, [come for i, survivor in enumerate(lower) for come in (dropped[i ^ mask], survivor)]
        )
    winner, loser = plan.play_round(Bracket.GRAND_FINAL, [*upper, *lower])
    if reset:
        plan.play_round(Bracket.GRAND_FINAL, [*loser, *winner])
    return plan.matches()


def drop_mask(round_: int, last_round: int) -> int:
    """
    Return the mask of an upper round: the loser of its match i (from 0) drops to place i XOR mask of the lower bracket.

    The mask of round r is the number 1 - r with its bits reversed. For 16 entrants that makes: as they are, reversed,
    as they are.

    Why: the loser of a match of round r may have met the loser of the match of round s > r that its winner comes to.
    If s - r is odd, the two drop into different halves of the lower bracket, if (s - r) / 2 is, into different
    quarters, and so on.

    No order keeps rematches out longer. With k upper rounds, take t nested matches, one of each round 1..t; any two
    of their losers may have met. All t are in by lower round 2t - 2, which has 2^(k-t) matches. If that is fewer than
    t, two of them can meet there or before; likewise if t exceeds the 2^(k-t-1) matches of round 2t - 1. So the first
    rematch can be kept out until lower round 3 of 8 places, 4 of 16, 5 of 32, 7 of 64, 8 of 128, 9, 11, 13, 15, and 16
    of 4096 at best, and these masks do so.
    """
    bits = last_round - round_
    return sum(1 << (bits - 1 - i) for i in range(bits) if (1 - round_) >> i & 1)


@dataclass(frozen=True, slots=True)
class _Exit:
    """The winner or the loser of a match."""

    match: int
    won: bool


_Comer = int | _Exit | None  # who comes to a side: a seed, somebody out of a match, or nobody ever


class _Plan:
    """Matches in the order of play, as far as they have been drawn."""

    def __init__(self) -> None:
        self._drawn: list[tuple[Bracket, int, int, _Comer, _Comer]] = []
        self._rounds: Counter[Bracket] = Counter()
        self._goes_to: dict[_Comer, Place] = {}

    def play_round(self, bracket: Bracket, comers: Sequence[_Comer]) -> tuple[list[_Comer], list[_Comer]]:
        """Let neighbours meet. Return who wins and who loses, in the same order; one alone passes and nobody loses."""
        winners: list[_Comer] = []
        losers: list[_Comer] = []
        before, round_ = len(self._drawn), self._rounds[bracket] + 1
        for position, (home, away) in enumerate(zip(comers[::2], comers[1::2], strict=True), start=1):
            winner, loser = (away, None) if home is None else (home, None)
            if home is not None and away is not None:
                self._drawn.append((bracket, round_, position, home, away))
                number = len(self._drawn)
                self._goes_to |= {home: Place(number, Side.HOME), away: Place(number, Side.AWAY)}
                winner, loser = _Exit(number, won=True), _Exit(number, won=False)
            winners.append(winner)
            losers.append(loser)
        if len(self._drawn) > before:
            self._rounds[bracket] = round_
        return winners, losers

    def matches(self) -> list[PlannedMatch]:
        planned = []
        for number, (bracket, round_, position, home, away) in enumerate(self._drawn, start=1):
            winner_to = self._goes_to.get(_Exit(number, won=True))
            planned.append(
                PlannedMatch(
                    number=number,
                    bracket=bracket,
                    round=round_,
                    position=position,
                    home_seed=home if isinstance(home, int) else None,
                    away_seed=away if isinstance(away, int) else None,
                    winner_to=winner_to,
                    loser_to=self._goes_to.get(_Exit(number, won=False)),
                    sends_on=Side.AWAY if bracket is Bracket.GRAND_FINAL and winner_to else None,
                )
            )
        return planned
