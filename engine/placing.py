"""Final places of an elimination stage: who went out later is placed better."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from engine.bracket import Bracket


@dataclass(frozen=True, slots=True)
class Ended:
    """
    A match that is over.

    `home`, `away` and `winner` are entrants (any id). A side is None when nobody came to it. `winner` is None when
    both lost, by a double forfeit or because neither came. `cancelled`: not played and not needed, as a reset often is.
    """

    number: int
    bracket: Bracket
    round: int
    home: int | None
    away: int | None
    winner: int | None
    cancelled: bool = False


def places(matches: Iterable[Ended]) -> list[tuple[int, int]]:
    """
    Return every entrant with their rank, best first.

    Args:
        matches: all of a single elimination (with or without a third-place match) or a double elimination, each of
            which is over, in any order.

    A rank is 1 + the number of entrants who are placed better. Those who went out in the same round share it, so the
    usual ranks are 1, 2, 3, 3, 5, 5, 5, 5 (without a third-place match), or 1, 2, 3, 4, 5, 5, 7, 7 (double
    elimination, by lower-bracket rounds). They are listed by the number of the match in which they went out. When
    nobody won the last match of all, nobody is first and those who should have played it have rank 2.

    Cost: O(n log n).
    """
    all_matches = sorted(matches, key=lambda match: match.number)
    last_round = {match.bracket: match.round for match in sorted(all_matches, key=lambda match: match.round)}
    last_of = {
        entrant: match
        for match in all_matches
        if not match.cancelled
        for entrant in (match.home, match.away)
        if entrant is not None
    }

    def merit(entrant: int) -> tuple[int, bool]:
        match = last_of[entrant]
        return _depth(match, last_round), match.winner == entrant

    best_first = sorted(sorted(last_of, key=lambda entrant: last_of[entrant].number), key=merit, reverse=True)
    ranked: list[tuple[int, int]] = []
    rank = 0
    for (_, won), tied in groupby(best_first, key=merit):
        if not ranked and not won:
            rank = 1  # is nobody's
        rank = max(rank, len(ranked)) + 1
        ranked += [(entrant, rank) for entrant in tied]
    return ranked


def _depth(match: Ended, last_round: dict[Bracket, int]) -> int:
    """Return how far into the stage a match is; whoever goes out deeper is placed better."""
    match match.bracket:
        case Bracket.LOWER:
            return match.round
        case Bracket.GRAND_FINAL:
            return last_round.get(Bracket.LOWER, 0) + 1
        case Bracket.THIRD_PLACE:
            return 2 * match.round - 1  # between the semi-finals and the final
        case Bracket.MAIN if Bracket.GRAND_FINAL in last_round:
            # Both have lost here, so neither drops: they are out where its loser would have come in.
            uncounted = 2 * (last_round[Bracket.MAIN] - 1) - last_round.get(Bracket.LOWER, 0)
            return max(1, 2 * (match.round - 1) - uncounted)
        case Bracket.MAIN:
            return 2 * match.round
