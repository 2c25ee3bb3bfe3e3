"""
Random brackets in memory, forwards and backwards: results, corrections and reopenings in any order, entrants away.

What a bracket looks like is decided by the results that stand, never by the way they came about.
"""

from dataclasses import dataclass, field, replace

from hypothesis import given
from hypothesis import strategies as st

from engine.bracket import Bracket, Side
from engine.double_elimination import double_elimination
from engine.elimination import single_elimination
from engine.progression import Award, Clear, Fill, Outcome, Ready, Sides, Skip, settle

WAITING, READY, OVER = "waiting", "ready", "over"


@dataclass
class Board:
    """A bracket in memory that carries out what `settle` says."""

    plans: list
    absent: frozenset[int] = frozenset()
    played: dict[int, Side] = field(default_factory=dict)  # results that somebody entered

    def __post_init__(self) -> None:
        self.plan = {p.number: p for p in self.plans}
        self.sides = {
            p.number: Sides(p.home_seed, p.away_seed, False, False, p.winner_to, p.loser_to, p.sends_on)
            for p in self.plans
        }
        self.state = {n: READY if s.home and s.away else WAITING for n, s in self.sides.items()}
        self.outcome: dict[int, Outcome] = {}
        for number, sides in self.sides.items():
            present = [side for side in Side if self.who(sides, side) not in self.absent]
            if self.state[number] == READY and len(present) < 2:
                self.end(number, present[0] if present else None, entered=False)

    @staticmethod
    def who(sides: Sides, side: Side) -> int | None:
        return sides.home if side is Side.HOME else sides.away

    def ready(self) -> list[int]:
        return [n for n, state in self.state.items() if state == READY]

    def end(self, number: int, winner: Side | None, *, entered: bool = True) -> list[int]:
        """End a match, or change who won it; return the matches that lost their result."""
        sides = self.sides[number]
        self.state[number] = OVER
        won = Outcome(None, None)
        if winner is not None:
            won = Outcome(self.who(sides, winner), self.who(sides, winner.other), winner)
        self.outcome[number] = won
        if entered:
            self.played[number] = winner
        return self.follow(number, won)

    def reopen(self, number: int) -> list[int]:
        self.state[number] = READY
        self.played.pop(number, None)
        del self.outcome[number]
        return self.follow(number, None)

    def follow(self, number: int, outcome: Outcome | None) -> list[int]:
        found: list[int] = []
        voided: list[int] = []

        def find(n: int) -> Sides:
            found.append(n)
            state = self.state[n]
            return replace(self.sides[n], is_waiting=state == WAITING, is_over=state == OVER)

        settled: list[int] = []
        for move in settle(number, outcome, find=find, is_absent=self.absent.__contains__):
            if isinstance(move, Ready | Award | Skip):
                settled.append(move.match)
                assert self.sides[move.match].home != self.sides[move.match].away or isinstance(move, Skip)
            match move:
                case Clear(n):
                    assert self.state[n] != WAITING
                    if self.played.pop(n, "nobody") != "nobody":
                        voided.append(n)
                    self.outcome.pop(n, None)
                    self.state[n] = WAITING
                case Fill(n, side, entrant, closed):
                    assert self.state[n] == WAITING, "somebody came to a match that waits for nobody"
                    assert self.sides[n].put(side, entrant, closed=closed)
                case Ready(n):
                    assert {self.sides[n].home, self.sides[n].away}.isdisjoint({None, *self.absent})
                    self.state[n] = READY
                case Award(n, winner):
                    assert winner is None or winner not in self.absent
                    self.state[n] = OVER
                    side = next((s for s in Side if winner and self.who(self.sides[n], s) == winner), None)
                    loser = self.who(self.sides[n], side.other) if side else None
                    self.outcome[n] = Outcome(winner, loser, side)
                case Skip(n):
                    assert self.sides[n].home is None
                    assert self.sides[n].away is None
                    self.state[n], self.outcome[n] = OVER, Outcome(None, None)
        assert len(found) == len(set(found)), "a match was loaded twice"
        assert len(settled) == len(set(settled)), "a match was settled for somebody who only passed through"
        return voided

    def play_out(self) -> None:
        while ready := self.ready():
            self.end(ready[0], Side.HOME)

    def looks(self) -> dict:
        return {n: (s.home, s.away, s.home_closed, s.away_closed, self.state[n]) for n, s in self.sides.items()}


def reachable(board: Board, number: int) -> set[int]:
    found, ahead = set(), [number]
    while ahead:
        plan = board.plan[ahead.pop()]
        for place in (plan.winner_to, plan.loser_to):
            if place is not None and place.match not in found:
                found.add(place.match)
                ahead.append(place.match)
    return found


@st.composite
def boards(draw):
    entrants = draw(st.integers(2, 20))
    plans = draw(
        st.sampled_from(
            [
                lambda: single_elimination(entrants, third_place=True),
                lambda: single_elimination(entrants),
                lambda: double_elimination(entrants),
                lambda: double_elimination(entrants, reset=False),
            ]
        )
    )()
    absent = draw(st.frozensets(st.integers(1, entrants), max_size=3))
    return Board(plans, absent)


@given(boards(), st.data())
def test_only_the_results_that_stand_decide_how_a_bracket_looks(board, data):
    for _ in range(data.draw(st.integers(1, 40))):
        played = list(board.played)
        step = data.draw(st.integers(0, 4)) if played else 4
        before = board.looks()
        if step == 0:
            number = data.draw(st.sampled_from(played))
            board.reopen(number)
        elif step == 1:
            number = data.draw(st.sampled_from(played))
            board.end(number, data.draw(st.sampled_from([Side.HOME, Side.AWAY, None])))
        elif ready := board.ready():
            number = data.draw(st.sampled_from(ready))
            board.end(number, data.draw(st.sampled_from([Side.HOME, Side.HOME, Side.AWAY, Side.AWAY, None])))
        else:
            continue
        touched = {n for n, look in board.looks().items() if look != before[n]}
        assert touched <= {number} | reachable(board, number)
    again = Board(board.plans, board.absent)
    for number, winner in sorted(board.played.items()):
        again.end(number, winner)
    assert again.looks() == board.looks()


@given(boards(), st.data())
def test_every_match_ends_whatever_happens(board, data):
    while ready := board.ready():
        board.end(data.draw(st.sampled_from(ready)), data.draw(st.sampled_from([Side.HOME, Side.AWAY, None])))
    assert set(board.state.values()) == {OVER}
    assert all(sides.is_settled() for sides in board.sides.values())
    assert all(outcome.winner not in board.absent for outcome in board.outcome.values() if outcome.winner)


@given(boards(), st.data())
def test_the_same_result_again_changes_nothing_further_on(board, data):
    board.play_out()
    if not board.played:
        return
    number = data.draw(st.sampled_from(sorted(board.played)))
    before = board.looks()
    assert board.end(number, board.played[number]) == []
    assert board.looks() == before


def test_a_corrected_result_voids_only_matches_whose_entrants_change():
    board = Board(single_elimination(8, third_place=True))
    board.play_out()
    assert sorted(board.end(1, Side.AWAY)) == [5, 7, 8]
    assert board.ready() == [5]
    assert board.sides[5].home == 8
    assert board.sides[7].home is None
    assert board.state[6] == OVER


def test_a_grand_final_leads_to_its_reset_only_when_the_lower_finalist_wins():
    board = Board(double_elimination(4))
    final, reset = (p.number for p in board.plans if p.bracket is Bracket.GRAND_FINAL)
    while ready := [n for n in board.ready() if n != final]:
        board.end(ready[0], Side.HOME)
    upper, lower = board.sides[final].home, board.sides[final].away
    board.end(final, Side.HOME)
    assert (board.state[reset], board.sides[reset].home, board.sides[reset].home_closed) == (OVER, None, True)
    board.end(final, Side.AWAY)
    assert (board.state[reset], board.sides[reset].home, board.sides[reset].away) == (READY, upper, lower)
    board.end(reset, Side.HOME)
    assert board.end(final, Side.HOME) == [reset]
    assert board.state[reset] == OVER
