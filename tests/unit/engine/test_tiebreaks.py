"""The values that entrants are compared by, computed by hand, and how they are named and explained."""

import pytest

from engine.errors import InvalidTieBreak
from engine.results import Points, Result
from engine.stages import Format
from engine.standings import ROUND_ROBIN_PARTS, SWISS_PARTS, Reason, standings
from engine.tiebreaks import Measure, Part

A, B, C, D, E = range(1, 6)
NAMES = dict(zip(range(1, 6), "ABCDE", strict=True))
FOOTBALL = Points()
CHESS = Points(win=1, draw=0.5, loss=0, bye=1)


def swiss(entrants, results, parts=(), *, points=CHESS, rounds=None, **settings):
    rounds = rounds or max(result.round for result in results)
    return standings(entrants, results, format=Format.SWISS, rounds=rounds, points=points, parts=parts, **settings)


def ranks(lines):
    return {line.entrant: line.rank for line in lines}


class TestSwiss:
    RESULTS = (
        Result(1, A, B, A),
        Result(1, C, D, C, forfeit=True),
        Result(1, E, None, E),
        Result(2, A, C, None),
        Result(2, E, B, B),
        Result(3, C, E, C),
        Result(3, A, D, A),
    )

    @pytest.mark.parametrize(
        ("rule_year", "buchholz", "cut1"),
        [
            # Points: A 2.5, B 1, C 2.5, D 0, E 1. B missed round 3 at the end, so B is worth 1.5 as an opponent;
            # D forfeited, missed, and came back, so D stays at 0.
            # A: B 1.5, C 2.5, D 0. B: A 2.5, E 1, and B's own 1 for the missed round, which goes first in Cut-1.
            # C: A 2.5, E 1, and for the won forfeit 2.5 until 2024; since then no more than D's 0.
            # D: A 2.5, and twice D's own 0. E: B 1.5, C 2.5, and for the bye E's own 1.
            (2024, {A: 4, B: 4.5, C: 6, D: 2.5, E: 5}, {A: 4, B: 3.5, C: 5, D: 2.5, E: 4}),
            (2026, {A: 4, B: 4.5, C: 3.5, D: 2.5, E: 5}, {A: 4, B: 3.5, C: 3.5, D: 2.5, E: 4}),
        ],
    )
    def test_buchholz_by_hand(self, rule_year, buchholz, cut1):
        lines = swiss(range(1, 6), self.RESULTS, rule_year=rule_year)
        assert {line.entrant: line.values["buchholz"] for line in lines} == buchholz
        assert {line.entrant: line.values["buchholz_cut1"] for line in lines} == cut1

    def test_the_dummy_of_a_bye_has_a_draw_per_round_at_most_since_2026(self):
        results = [Result(1, A, None, A), Result(2, A, B, A)]
        for rule_year, dummy in ((2024, 2), (2026, 1)):
            lines = swiss([A, B], results, ["points", "buchholz"], rule_year=rule_year)
            # B missed round 1 and lost round 2: worth 0.
            assert lines[0].values["buchholz"] == dummy

    def test_sonneborn_berger_and_median_by_hand(self):
        lines = swiss(range(1, 6), self.RESULTS, ["sonneborn_berger", "median_buchholz"])
        # A beat B (1.5) and D (0) and drew C (2.5); without D and C, 1.5 is left.
        assert {line.entrant: line.values for line in lines}[A] == {"sonneborn_berger": 2.75, "median_buchholz": 1.5}

    def test_win_rates_have_a_floor_and_leave_byes_out(self):
        results = [
            Result(1, A, B, A, 2, 1),
            Result(1, C, None, C),
            Result(2, A, C, A, 2, 0),
            Result(2, B, D, B, 2, 0),
            Result(3, A, None, A),
            Result(3, B, E, E, forfeit=True),
        ]
        lines = swiss(range(1, 6), results, ["opponents_win_rate", "game_win_rate"], points=FOOTBALL)
        of = {line.entrant: line.values for line in lines}
        # A met B, who won 3 of 9 points, and C, who won 3 of 6 with a bye. D won nothing in one round: 0.33.
        assert of[A] == {"opponents_win_rate": 5 / 12, "game_win_rate": 0.8}
        assert of[B] == {"opponents_win_rate": (1 + 0.33) / 2, "game_win_rate": 0.6}
        assert of[C] == {"opponents_win_rate": 1, "game_win_rate": 0.33}
        assert of[D] == {"opponents_win_rate": 1 / 3, "game_win_rate": 0.33}
        # E won by forfeit alone, and so met nobody.
        assert of[E] == {"opponents_win_rate": 0.33, "game_win_rate": 0.33}

    def test_head_to_head_waits_for_a_match_that_could_change_it(self):
        """A beat B and C has met neither: C might have beaten A. Once A has beaten C as well, A is certain."""
        results = [Result(1, A, B, A)]
        lines = swiss([B, C, A], results, ["head_to_head"])
        assert ranks(lines) == {A: 1, B: 1, C: 1}
        assert all(line.values == {} for line in lines)
        lines = swiss([B, C, A], [*results, Result(2, C, A, A)], ["head_to_head"])
        assert ranks(lines) == {A: 1, B: 2, C: 2}
        assert [line.reason.text(NAMES) for line in lines[:2]] == ["above B by head-to-head, 2 to 0", "level with C"]
        assert ranks(swiss([B, C, A], results, ["tied:points"])) == {A: 1, B: 2, C: 2}

    def test_a_match_that_is_being_played_is_not_a_missed_round(self):
        results = [Result(1, A, B, A), Result(1, C, D, C), Result(2, B, D, B)]
        before = swiss([A, B, C, D], results, ["buchholz"], playing=[A, C])
        assert {line.entrant: line.values["buchholz"] for line in before} == {A: 1, B: 1, C: 0, D: 2}
        missed = swiss([A, B, C, D], results, ["buchholz"])
        assert {line.entrant: line.values["buchholz"] for line in missed} == {A: 2, B: 1.5, C: 1, D: 2.5}

    def test_rounds_to_come_do_not_count(self):
        late = Result(4, D, A, D)
        assert swiss(range(1, 6), [*self.RESULTS, late], rounds=3) == swiss(range(1, 6), self.RESULTS)

    def test_columns_count_forfeits_as_matches_and_byes_as_wins_without_one(self):
        results = [
            Result(1, A, B, A, 2, 1),
            Result(1, C, None, C),
            Result(2, A, C, A, forfeit=True),
            Result(2, B, D, None, forfeit=True),
            Result(3, A, D, None, 1, 1),
        ]
        first, *_ = lines = swiss([A, B, C, D], results, ["points"], points=FOOTBALL)
        assert (first.played, first.wins, first.draws, first.losses, first.byes) == (3, 2, 1, 0, 0)
        assert (first.points, first.scored, first.conceded) == (7, 3, 2)
        of = {line.entrant: line for line in lines}
        assert (of[C].played, of[C].wins, of[C].losses, of[C].byes, of[C].points) == (1, 1, 1, 1, 3)
        assert (of[B].losses, of[D].losses, of[D].draws) == (2, 1, 1)
        half = swiss([A, B, C, D], results, ["wins"], points=Points(bye=1))
        assert next(line for line in half if line.entrant == C).wins == 0


class TestNames:
    @pytest.mark.parametrize(
        ("part", "own", "others", "text"),
        [
            ("buchholz_cut1", 13.0, 11.5, "above A by Buchholz Cut-1, 13.0 to 11.5"),
            ("buchholz", 13.0, 11, "above A by Buchholz, 13 to 11"),
            ("sonneborn_berger", 12.25, 8.5, "above A by Sonneborn-Berger, 12.25 to 8.50"),
            ("score_difference", 3, -1, "above A by score difference, +3 to -1"),
            ("opponents_win_rate", 0.6666, 0.5, "above A by opponents’ win rate, 66.7 % to 50.0 %"),
            ("game_win_rate", 0.66661, 0.66659, "above A by game win rate, 66.661 % to 66.659 %"),
            ("seed", 3, 7, "above A by seed, 3 to 7"),
            ("draw", 1, 2, "above A by drawing lots"),
        ],
    )
    def test_a_reason_says_what_decided_and_by_how_much(self, part, own, others, text):
        assert Reason(A, Part.parse(part), own, others, tied=2).text(NAMES) == text

    def test_an_unknown_part_is_refused_with_those_there_are(self):
        with pytest.raises(InvalidTieBreak, match=r"“bucholz”.*buchholz_cut1.*draw"):
            Part.parse("bucholz")

    @pytest.mark.parametrize("measure", ["buchholz", "sonneborn_berger", "opponents_win_rate", "seed", "draw"])
    def test_what_matches_among_the_tied_cannot_tell_has_no_scope(self, measure):
        with pytest.raises(InvalidTieBreak, match=rf"“tied:{measure}”.*points, wins"):
            Part.parse(f"tied:{measure}")

    @pytest.mark.parametrize("name", [*Measure, *ROUND_ROBIN_PARTS, *SWISS_PARTS, "tied:game_win_rate"])
    def test_every_known_name_is_read_and_written_alike(self, name):
        assert str(Part.parse(name)) == name
