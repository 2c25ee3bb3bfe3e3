"""
Every elimination stage, beside the same stage in brackets-manager (npm), after each of its results.

Its own drop orders are not ours, since they let rematches come sooner. Where it has words for ours it plays them, and
the lower brackets have to be equal as well; where it has none, they have to take out as many in each round.
"""

import json
import subprocess
from collections import Counter
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine.bracket import Bracket, PlannedMatch
from engine.double_elimination import double_elimination, drop_mask
from engine.elimination import single_elimination
from engine.placing import places
from engine.seeding import bracket_size
from tests.oracles.npm import require_packages
from tests.unit.engine.board import Board
from tests.unit.web.node import node

SCRIPT = Path(__file__).with_name("brackets_manager.mjs")
TIMES = {**dict.fromkeys(range(2, 65), 2), **dict.fromkeys((96, 97, 128, 129, 200), 1)}  # of each number of entrants
WORDS_UP_TO = 64

Key = tuple[str, int, int]


def ask(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let it play all cases in one process: starting Node takes longer than most of them."""
    done = subprocess.run(
        [node(), str(SCRIPT)], input=json.dumps(cases), capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def case(kind: str, n: int, settings: dict[str, Any], rng: Random) -> dict[str, Any]:
    """Return what it is asked: who is stronger in which bracket, and in which order the matches are played."""
    names = ("main", "lower", "third_place")
    return {
        "type": kind,
        "entrants": n,
        "places": bracket_size(n),
        "settings": settings,
        "strength": {name: rng.sample(range(n), n) for name in names},
        "final_winners": [rng.choice(["home", "away"]) for _ in range(2)],
        "turns": [rng.randrange(10**6) for _ in range(2 * n)],
    }


def in_its_words(mask: int, bits: int) -> str:
    top, every = 1 << bits >> 1, (1 << bits) - 1
    words = {1: "pair_flip", every ^ top: "reverse_half_shift", top: "half_shift", every: "reverse", 0: "natural"}
    return words[mask]


class Comparison:
    """Our board beside its matches. Brackets that are not `alike` pair others, and are played on their own."""

    def __init__(self, question: dict[str, Any], answer: dict[str, Any], plan: list[PlannedMatch], alike: set[Bracket]):
        self.board, self.alike, self.question, self.answer = Board(plan), alike, question, answer
        self.theirs: dict[Key, tuple[Any, Any]] = {}
        self.hear(answer["start"])
        last_round = {match.bracket: match.round for match in plan}
        # It counts lower rounds of byes, and its third-place match has rounds of its own.
        shift = {
            Bracket.LOWER: 2 * (question["places"].bit_length() - 2) - last_round.get(Bracket.LOWER, 0),
            Bracket.THIRD_PLACE: 1 - last_round.get(Bracket.THIRD_PLACE, 0),
        }
        self.number: dict[Key, int] = {
            (match.bracket.value, match.round + shift.get(match.bracket, 0), match.position): match.number
            for match in plan
        }

    def hear(self, news: list[list[Any]]) -> None:
        self.theirs |= {(bracket, round_, position): (home, away) for bracket, round_, position, home, away in news}

    def run(self) -> None:
        self.check_byes()
        self.check_sides()
        for update in self.answer["updates"]:
            key: Key = tuple(update["match"])
            self.hear(update["news"])
            if Bracket(key[0]) in self.alike:
                self.board.end(self.number[key], update["winner"])
            if Bracket.LOWER not in self.alike:
                self.play_lower()
            self.check_sides()
        assert self.board.ended.keys() == self.board.plan.keys()
        self.check_losses()
        self.check_standing()

    def play_lower(self) -> None:
        """Play our lower bracket as far as it goes."""
        strength = self.question["strength"]["lower"]
        while lower := [n for n in self.board.ready if self.board.plan[n].bracket is Bracket.LOWER]:
            self.board.end(lower[0], max(self.board.pair(lower[0]), key=lambda seed: strength[seed - 1]))

    def check_byes(self) -> None:
        byes = {key for key, pair in self.theirs.items() if "bye" in pair}
        assert self.theirs.keys() - self.number.keys() == byes

    def check_sides(self) -> None:
        # A lower bracket that is not alike may be done sooner here than there.
        skipped = set() if self.has_both_finalists() else {Bracket.GRAND_FINAL}
        for key, number in self.number.items():
            ended = self.board.ended.get(number)
            if ended is not None and ended.cancelled:
                continue  # an unneeded reset, whose sides it fills all the same
            if Bracket(key[0]) in self.alike - skipped:
                assert self.board.pair(number) == self.theirs[key], key

    def has_both_finalists(self) -> bool:
        return Bracket.LOWER in self.alike or None not in self.theirs["grand_final", 1, 1]

    def check_losses(self) -> None:
        theirs, lost_in = Counter(), Counter()
        for update in self.answer["updates"]:
            key: Key = tuple(update["match"])
            loser = next(seed for seed in self.theirs[key] if seed != update["winner"])
            theirs[loser] += 1
            lost_in[key[:2]] += 1
        assert self.board.losses() == theirs
        played = [key[:2] for key, number in self.number.items() if not self.board.ended[number].cancelled]
        assert Counter(played) == lost_in

    def check_standing(self) -> None:
        """It counts groups of equals; we count entrants."""
        ours = [
            {seed for seed, _ in tied} for _, tied in groupby(places(self.board.ended.values()), lambda row: row[1])
        ]
        theirs = [{seed for seed, _ in tied} for _, tied in groupby(self.answer["standing"], lambda row: row[1])]
        assert [len(tied) for tied in ours] == [len(tied) for tied in theirs]
        known = len(ours) if Bracket.LOWER in self.alike else 2
        assert ours[:known] == theirs[:known]


def single(n: int) -> tuple[list[PlannedMatch], dict[str, Any], set[Bracket]]:
    return single_elimination(n, third_place=True), {"consolationFinal": n >= 4}, set(Bracket)


def double(n: int) -> tuple[list[PlannedMatch], dict[str, Any], set[Bracket]]:
    settings, alike = {"grandFinal": "double"}, {Bracket.MAIN, Bracket.GRAND_FINAL}
    if n <= WORDS_UP_TO:
        rounds = bracket_size(n).bit_length() - 1
        drops = [in_its_words(drop_mask(r, rounds), rounds - r) for r in range(1, rounds)]
        settings["seedOrdering"], alike = ["inner_outer", *drops], set(Bracket)
    return double_elimination(n), settings, alike


@pytest.mark.parametrize(("kind", "smallest", "ours"), [("single", 2, single), ("double", 3, double)])
def test_same_results_make_the_same_stage(kind, smallest, ours):
    """With two entrants its double elimination has neither a lower bracket nor a grand final."""
    require_packages("brackets-manager")
    fields = [(n, time) for n, times in TIMES.items() if n >= smallest for time in range(times)]
    questions = [case(f"{kind}_elimination", n, ours(n)[1], Random(f"{n} {time}")) for n, time in fields]
    for question, answer in zip(questions, ask(questions), strict=True):
        plan, _, alike = ours(question["entrants"])
        try:
            Comparison(question, answer, plan, alike).run()
        except Exception as error:
            error.add_note(f"with {question['entrants']} entrants")
            raise
