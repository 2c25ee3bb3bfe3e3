"""
What a result sets in motion, forwards and backwards: who takes which place, who walks over, and who has to leave a
place again because a result was taken back.

`settle` reads matches through a function, so a caller that keeps them in a database loads only the few that a change
touches, however large the bracket is.
"""

from collections.abc import Callable
from dataclasses import dataclass

from engine.bracket import Place, Side


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a match ended. Both are None when nobody could play it; `winner` is None when both lost."""

    winner: int | None
    loser: int | None
    won_by: Side | None = None


@dataclass(slots=True)
class Sides:
    """
    A match as the bracket sees it.

    `home` and `away` are entrants (any id), or None. A closed side stays empty: the match it waited for ended without
    anyone to send. `is_waiting`: an entrant is still to come; `is_over`: it has been decided.
    """

    home: int | None
    away: int | None
    home_closed: bool
    away_closed: bool
    winner_to: Place | None
    loser_to: Place | None
    sends_on: Side | None = None
    is_waiting: bool = True
    is_over: bool = False

    def put(self, side: Side, entrant: int | None, *, closed: bool) -> bool:
        """Set a side and return whether it became different."""
        before = (self.home, self.home_closed) if side is Side.HOME else (self.away, self.away_closed)
        if side is Side.HOME:
            self.home, self.home_closed = entrant, closed
        else:
            self.away, self.away_closed = entrant, closed
        return before != (entrant, closed)

    def is_settled(self) -> bool:
        """Return whether nobody else can come: each side has its entrant or is closed."""
        return (self.home is not None or self.home_closed) and (self.away is not None or self.away_closed)


@dataclass(frozen=True, slots=True)
class Fill:
    """`entrant` takes a place; None closes it, or opens it again when it is not `closed`."""

    match: int
    side: Side
    entrant: int | None
    closed: bool


@dataclass(frozen=True, slots=True)
class Clear:
    """An entrant changes, so the match waits again, and what it had, its score and its result, is void."""

    match: int


@dataclass(frozen=True, slots=True)
class Ready:
    """Both entrants are known and present."""

    match: int


@dataclass(frozen=True, slots=True)
class Award:
    """The match cannot be played: `winner` walks over, or nobody does when both are gone."""

    match: int
    winner: int | None


@dataclass(frozen=True, slots=True)
class Skip:
    """Nobody comes, so the match is not played."""

    match: int


Move = Clear | Fill | Ready | Award | Skip


def settle(
    number: int,
    outcome: Outcome | None,
    *,
    find: Callable[[int], Sides],
    is_absent: Callable[[int], bool],
) -> list[Move]:
    """
    Return what follows, in order, when match `number` ends with `outcome` or is open again (None).

    A later match changes only when one of its entrants does: then it loses its result, and what it had sent on is
    settled anew. Matches whose entrants stay the same keep everything. Each match is settled once, when all who come to
    it are known; so nobody passes through a match that they do not come to in the end.

    Args:
        find: the match of a number; called once for each match that is touched.
        is_absent: whether an entrant has left the tournament.

    Cost: proportional to the matches touched: two at most, plus the chain of walkovers or of lost results.
    """
    moves: list[Move] = []
    touched: dict[int, Sides] = {}
    coming: dict[int, list[Fill]] = {}

    def match(n: int) -> Sides:
        if n not in touched:
            touched[n] = find(n)
        return touched[n]

    def send(n: int, now: Outcome | None) -> None:
        for place, entrant, closed in sent(match(n), now):
            if match(place.match).put(place.side, entrant, closed=closed):
                coming.setdefault(place.match, []).append(Fill(place.match, place.side, entrant, closed))

    send(number, outcome)
    while coming:
        # Numbers are the order of play: nobody else will come to the lowest, or leave it.
        target = min(coming)
        sides = match(target)
        was_over = sides.is_over
        if not sides.is_waiting:
            moves.append(Clear(target))
        moves += coming.pop(target)
        move, result = _standing(target, sides, is_absent)
        if move is not None:
            moves.append(move)
        sides.is_waiting, sides.is_over = move is None, result is not None
        if was_over or result is not None:
            send(target, result)
    return moves


def sent(sides: Sides, outcome: Outcome | None) -> list[tuple[Place, int | None, bool]]:
    """Return who goes to which place when a match ends so or is open (None): (place, entrant, whether it is closed)."""
    places = [(place, lost) for place, lost in ((sides.winner_to, False), (sides.loser_to, True)) if place is not None]
    if outcome is None:
        return [(place, None, False) for place, _ in places]
    if sides.sends_on is not None and sides.sends_on is not outcome.won_by:
        return [(place, None, True) for place, _ in places]
    entrants = ((place, outcome.loser if lost else outcome.winner) for place, lost in places)
    return [(place, entrant, entrant is None) for place, entrant in entrants]


def _standing(number: int, sides: Sides, is_absent: Callable[[int], bool]) -> tuple[Move | None, Outcome | None]:
    """Return what a match has come to, if it waits no longer, and its outcome when it cannot be played."""
    if not sides.is_settled():
        return None, None
    known = [(side, e) for side, e in ((Side.HOME, sides.home), (Side.AWAY, sides.away)) if e is not None]
    if not known:
        return Skip(number), Outcome(None, None)
    present = [(side, e) for side, e in known if not is_absent(e)]
    if len(present) == 2:  # noqa: PLR2004
        return Ready(number), None
    if not present:
        return Award(number, None), Outcome(None, None)
    side, winner = present[0]
    loser = next((e for _, e in known if e != winner), None)
    return Award(number, winner), Outcome(winner, loser, side)
