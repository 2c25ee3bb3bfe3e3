"""A stage in memory, which follows the links of its matches and knows nothing else of formats."""

from collections import Counter
from collections.abc import Iterable

from engine.bracket import Place, PlannedMatch, Side
from engine.placing import Ended


class Board:
    """
    Holds who stands where. `end` takes results; whoever is left without an opponent walks over at once.

    Every place may be filled once only, and every entrant it is filled with has come out of one match.
    """

    def __init__(self, plan: Iterable[PlannedMatch]) -> None:
        self.plan = {match.number: match for match in plan}
        self.sides: dict[Place, int | None] = {}  # None: nobody comes any more
        self.ended: dict[int, Ended] = {}
        self.ready: list[int] = []
        for match in self.plan.values():
            for side, seed in ((Side.HOME, match.home_seed), (Side.AWAY, match.away_seed)):
                if seed is not None:
                    self._fill(Place(match.number, side), seed)

    def pair(self, number: int) -> tuple[int | None, int | None]:
        return self.sides.get(Place(number, Side.HOME)), self.sides.get(Place(number, Side.AWAY))

    def end(self, number: int, winner: int | None) -> None:
        """End a match that is ready; without a winner both have lost and neither moves on."""
        self.ready.remove(number)
        self._end(number, winner)

    def losses(self) -> Counter[int]:
        return Counter(
            entrant
            for match in self.ended.values()
            for entrant in (match.home, match.away)
            if entrant not in (None, match.winner)
        )

    def _fill(self, place: Place, entrant: int | None) -> None:
        assert place not in self.sides, "two entrants in one place"
        assert place.match not in self.ended, "somebody was sent to a match that is over"
        self.sides[place] = entrant
        if place.match in self.plan and {Place(place.match, place.side.other), place} <= self.sides.keys():
            home, away = self.pair(place.match)
            if home is None or away is None:
                self._end(place.match, away if home is None else home)
            else:
                self.ready.append(place.match)

    def _end(self, number: int, winner: int | None) -> None:
        match, (home, away) = self.plan[number], self.pair(number)
        assert winner in (home, away, None)
        self.ended[number] = Ended(number, match.bracket, match.round, home, away, winner)
        if match.sends_on is not None and (winner is None or winner != self.sides[Place(number, match.sends_on)]):
            unneeded = self.plan[match.winner_to.match]
            self.ended[unneeded.number] = Ended(
                unneeded.number, unneeded.bracket, unneeded.round, None, None, None, cancelled=True
            )
            return
        loser = None if winner is None else away if winner == home else home
        for place, entrant in ((match.winner_to, winner), (match.loser_to, loser)):
            if place is not None:
                self._fill(place, entrant)


def play(plan: Iterable[PlannedMatch], choose=lambda _match, home, away: min(home, away)) -> Board:
    """Play a stage to its end, in the order of its numbers. `choose` names the winners; the better seed without it."""
    board = Board(plan)
    while board.ready:
        number = min(board.ready)
        board.end(number, choose(board.plan[number], *board.pair(number)))
    return board


def champion(board: Board) -> int | None:
    last = max(number for number, match in board.ended.items() if not match.cancelled)
    return board.ended[last].winner
