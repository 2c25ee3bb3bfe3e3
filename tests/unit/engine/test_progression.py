"""Random tournaments in memory, entrants leaving at any moment: every bracket comes to its right end."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from engine.bracket import Bracket, Side
from engine.elimination import single_elimination
from engine.progression import Award, Fill, Ready, Sides, advance


@dataclass
class Board:
    """A bracket in memory that carries out what `advance` says."""

    entrants: int
    third_place: bool
    absent: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        plans = single_elimination(self.entrants, third_place=self.third_place)
        self.plan = {p.number: p for p in plans}
        self.sides = {p.number: Sides(p.home_seed, p.away_seed, False, False, p.winner_to, p.loser_to) for p in plans}
        self.ready = [n for n, s in self.sides.items() if s.home and s.away]
        self.winner: dict[int, int | None] = {}

    def end(self, number: int, winner: int | None) -> None:
        self.ready.remove(number)
        sides = self.sides[number]
        self.winner[number] = winner
        loser = sides.away if winner == sides.home else sides.home
        found: list[int] = []

        def find(n: int) -> Sides:
            found.append(n)
            s = self.sides[n]
            return Sides(s.home, s.away, s.home_closed, s.away_closed, s.winner_to, s.loser_to)

        for move in advance(number, winner=winner, loser=loser, find=find, is_absent=self.absent.__contains__):
            target = self.sides[move.match]
            match move:
                case Fill(_, side, entrant):
                    taken = target.home if side is Side.HOME else target.away
                    assert taken is None
                    target.put(side, entrant)
                case Ready():
                    assert target.home
                    assert target.away
                    self.ready.append(move.match)
                case Award(_, through):
                    assert through is None or through in (target.home, target.away)
                    assert through not in self.absent
                    self.winner[move.match] = through
        assert len(found) == len(set(found)), "a match was loaded twice"

    def leave(self, entrant: int) -> None:
        self.absent.add(entrant)
        for number in list(self.ready):
            sides = self.sides[number]
            if number in self.ready and entrant in (sides.home, sides.away):
                other = sides.away if sides.home == entrant else sides.home
                self.end(number, other)


@given(st.integers(2, 40), st.booleans(), st.data())
def test_every_match_ends_and_nobody_who_left_wins_afterwards(entrants, third_place, data):
    board = Board(entrants, third_place)
    while board.ready:
        if data.draw(st.integers(0, 3)) == 0 and len(board.absent) < entrants:
            board.leave(data.draw(st.sampled_from(sorted(set(range(1, entrants + 1)) - board.absent))))
        else:
            number = data.draw(st.sampled_from(board.ready))
            sides = board.sides[number]
            board.end(number, data.draw(st.sampled_from([sides.home, sides.away])))
    assert set(board.winner) == set(board.plan)
    for number, sides in board.sides.items():
        assert sides.is_settled(), number
        assert board.winner[number] in (None, sides.home, sides.away)
    final = max(n for n, p in board.plan.items() if p.bracket is Bracket.MAIN)
    losses = dict.fromkeys(range(1, entrants + 1), 0)
    for number, winner in board.winner.items():
        if board.plan[number].bracket is Bracket.MAIN:
            for entrant in (board.sides[number].home, board.sides[number].away):
                if entrant is not None and entrant != winner:
                    losses[entrant] += 1
    champion = board.winner[final]
    assert all(losses[e] == (e != champion) for e in losses)


@given(st.integers(4, 40))
def test_an_opponent_who_left_means_a_walkover_when_the_other_arrives(entrants):
    board = Board(entrants, third_place=False)
    first, second = board.ready[0], board.ready[1]
    if board.plan[first].winner_to.match != board.plan[second].winner_to.match:
        return
    target = board.plan[first].winner_to.match
    board.end(first, board.sides[first].home)
    board.leave(board.sides[first].home)
    board.end(second, board.sides[second].home)
    assert board.winner[target] == board.sides[second].home
