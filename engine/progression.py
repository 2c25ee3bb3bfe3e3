"""
What a result sets in motion: winners and losers move on, and whoever meets nobody walks over.

`advance` reads matches through a function, so a caller that keeps them in a database loads only the few that a
result touches, however large the bracket is.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from engine.bracket import Place, Side


@dataclass(slots=True)
class Sides:
    """
    A match that waits for entrants.

    `home` and `away` are entrants (any id), or None. A closed side stays empty for good: the match it waited
    for ended without anyone to send.
    """

    home: int | None
    away: int | None
    home_closed: bool
    away_closed: bool
    winner_to: Place | None
    loser_to: Place | None

    def put(self, side: Side, entrant: int | None) -> None:
        if side is Side.HOME:
            self.home, self.home_closed = entrant, entrant is None
        else:
            self.away, self.away_closed = entrant, entrant is None

    def is_settled(self) -> bool:
        """Return whether nobody else can come: each side has its entrant or is closed."""
        return (self.home is not None or self.home_closed) and (self.away is not None or self.away_closed)


@dataclass(frozen=True, slots=True)
class Fill:
    """`entrant` takes a place; None closes it."""

    match: int
    side: Side
    entrant: int | None


@dataclass(frozen=True, slots=True)
class Ready:
    """Both entrants are known and present."""

    match: int


@dataclass(frozen=True, slots=True)
class Award:
    """Nobody can play this match: `winner` walks over, or nobody does when both are gone."""

    match: int
    winner: int | None


Move = Fill | Ready | Award


def advance(
    number: int,
    *,
    winner: int | None,
    loser: int | None,
    find: Callable[[int], Sides],
    is_absent: Callable[[int], bool],
) -> list[Move]:
    """
    Return what follows when match `number` ends, in the order in which it happens.

    Args:
        winner, loser: the entrants; None when there is none (a double walkover has no winner).
        find: the match of a number; called once for each match that is touched.
        is_absent: whether an entrant has left the tournament.

    Cost: proportional to the matches touched: two at most, plus the chain of walkovers they start.
    """
    moves: list[Move] = []
    touched: dict[int, Sides] = {}

    def match(n: int) -> Sides:
        if n not in touched:
            touched[n] = find(n)
        return touched[n]

    ended = deque([(number, winner, loser)])
    while ended:
        n, won, lost = ended.popleft()
        for place, entrant in ((match(n).winner_to, won), (match(n).loser_to, lost)):
            if place is None:
                continue
            target = match(place.match)
            target.put(place.side, entrant)
            moves.append(Fill(place.match, place.side, entrant))
            if not target.is_settled():
                continue
            present = [e for e in (target.home, target.away) if e is not None and not is_absent(e)]
            if len(present) == 2:  # noqa: PLR2004
                moves.append(Ready(place.match))
                continue
            through = present[0] if present else None
            out = next((e for e in (target.home, target.away) if e is not None and e != through), None)
            moves.append(Award(place.match, through))
            ended.append((place.match, through, out))
    return moves
