"""Standings: known tables, and what holds for every one."""

import json
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidField, InvalidTieBreak
from engine.results import Points, Result
from engine.stages import Format
from engine.standings import ROUND_ROBIN_PARTS, SWISS_PARTS, Reason, draw_lots, standings
from engine.tiebreaks import LOWER_IS_BETTER, Measure, Part
from tests.leagues import played, random_swiss

A, B, C, D, E = range(1, 6)
NAMES = dict(zip(range(1, 6), "ABCDE", strict=True))
FOOTBALL = Points()
CHESS = Points(win=1, draw=0.5, loss=0, bye=1)
WORLD_CUP = json.loads((Path(__file__).parents[2] / "data" / "world_cup_2022_groups.json").read_text())
FIFA_PARTS = ("points", "score_difference", "scored", "tied:points", "tied:score_difference", "tied:scored", "draw")


def table(entrants, results, parts=(), *, format=Format.ROUND_ROBIN, points=FOOTBALL, **settings):
    results = list(results)
    rounds = settings.pop("rounds", None) or max((result.round for result in results), default=0)
    return standings(entrants, results, format=format, rounds=rounds, points=points, parts=parts, **settings)


def swiss(entrants, results, parts=(), *, points=CHESS, **settings):
    return table(entrants, results, parts, format=Format.SWISS, points=points, **settings)


def order(lines):
    return [line.entrant for line in lines]


def ranks(lines):
    return {line.entrant: line.rank for line in lines}


def reasons(lines):
    return [line.reason.text(NAMES) for line in lines[:-1]]


@st.composite
def leagues(draw_):
    """Entrants, results and settings of a Swiss or (with only some matches played) a round robin."""
    rng = draw_(st.randoms(use_true_random=False))
    entrants, rounds = draw_(st.integers(2, 9)), draw_(st.integers(1, 6))
    names = [str(measure) for measure in Measure] + ["tied:points", "tied:wins", "tied:score_difference", "tied:scored"]
    settings = {
        "format": draw_(st.sampled_from((Format.SWISS, Format.ROUND_ROBIN))),
        "rounds": rounds,
        "points": draw_(st.sampled_from((CHESS, FOOTBALL))),
        "parts": draw_(st.lists(st.sampled_from(names), max_size=5)) if draw_(st.booleans()) else (),
        "rule_year": draw_(st.sampled_from((2024, 2026))),
    }
    if draw_(st.booleans()):
        settings["lots"] = draw_lots(range(1, entrants + 1), Random(rounds))
    return list(range(1, entrants + 1)), random_swiss(rng, entrants=entrants, rounds=rounds), settings


class TestKnownTables:
    @pytest.mark.parametrize("group", WORLD_CUP)
    def test_the_groups_of_a_world_cup_end_as_they_did(self, group):
        matches, final_order = WORLD_CUP[group]["matches"], WORLD_CUP[group]["final_order"]
        lines = table(sorted(final_order), played(matches, a_round=2), FIFA_PARTS)
        assert order(lines) == final_order
        assert [line.rank for line in lines] == [1, 2, 3, 4]

    def test_second_place_of_a_group_was_decided_by_goals_scored(self):
        names = dict(enumerate(WORLD_CUP["H"]["final_order"]))
        number = {name: i for i, name in names.items()}
        matches = [(number[home], x, y, number[away]) for home, x, y, away in WORLD_CUP["H"]["matches"]]
        lines = table(range(4), played(matches, a_round=2), FIFA_PARTS)
        assert [line.reason.text(names) for line in lines[:3]] == [
            f"above {names[1]} by points, 6 to 4",
            f"above {names[2]} by total score, 4 to 2",
            f"above {names[3]} by points, 4 to 3",
        ]

    def test_head_to_head_takes_one_of_three_out_and_the_other_two_are_compared_anew(self):
        """
        A beat B and C, who drew. In the matches of all three C lost by less than B, but that match no longer counts
        once A is out: B and C are level against each other, and B scored more against the rest.
        """
        lines = table(
            [C, B, A, E, D],
            played(
                [
                    (A, 3, 0, B),
                    (A, 1, 0, C),
                    (B, 1, 1, C),
                    (A, 0, 0, D),
                    (A, 0, 1, E),
                    (B, 9, 0, D),
                    (B, 1, 0, E),
                    (C, 2, 0, D),
                    (C, 1, 0, E),
                    (D, 0, 0, E),
                ]
            ),
        )
        assert order(lines) == [A, B, C, E, D]
        assert [line.points for line in lines] == [7, 7, 7, 4, 2]
        assert reasons(lines) == [
            "above B by head-to-head, 6 to 1",
            "above C by score difference, +7 to +2",
            "above E by points, 7 to 4",
            "above D by points, 4 to 2",
        ]
        assert lines[0].reason == Reason(B, Part.parse("head_to_head"), 6, 1, tied=3, among=(C, B, A))
        assert lines[1].reason == Reason(C, Part.parse("score_difference"), 7, 2, tied=2)
        assert [line.values["head_to_head"] for line in lines[:3]] == [6, 1, 1]
        assert lines[1].values["tied:score_difference"] == lines[2].values["tied:score_difference"] == 0
        assert "head_to_head" not in lines[3].values

    def test_the_list_starts_again_when_a_scoped_part_leaves_fewer_level(self):
        """A beat B, B beat C, C beat A: only the score difference takes A out, and then B's win over C counts."""
        results = played([(A, 3, 0, B), (B, 2, 0, C), (C, 5, 4, A)])
        assert reasons(table([C, B, A], results)) == [
            "above B by score difference among the 3 tied, +2 to -1",
            "above C by head-to-head, 3 to 0",
        ]
        assert reasons(table([C, B, A], results, ["tied:score_difference", "tied:wins"])) == [
            "above B by score difference among the 3 tied, +2 to -1",
            "above C by score difference among the 2 tied, +2 to -2",
        ]

    def test_an_overall_part_does_not_start_the_list_again(self):
        """A and B are level with C until the total score takes C out; that B beat A does not come up again."""
        results = played([(B, 1, 0, A), (C, 1, 0, B), (A, 1, 0, C), (A, 5, 6, D), (B, 5, 6, D), (C, 0, 1, D)])
        lines = table([A, B, C, D], results, ("points", "tied:points", "scored"))
        assert ranks(lines) == {D: 1, A: 2, B: 2, C: 4}
        assert lines[1].reason.text(NAMES) == "level with B"


class TestTies:
    def test_those_whom_nothing_separates_share_a_rank_in_the_order_given(self):
        lines = table([C, B, A, D], played([(A, 1, 1, B), (B, 1, 1, C), (C, 1, 1, A), (D, 0, 1, A)]), ["scored"])
        assert [(line.entrant, line.rank) for line in lines] == [(A, 1), (C, 2), (B, 2), (D, 4)]
        assert lines[1].reason == Reason(B)
        assert lines[-1].reason is None

    def test_lots_decide_and_are_the_same_for_the_same_seed(self):
        entrants = list(range(1, 31))
        lots = draw_lots(entrants, Random(7))
        assert lots == draw_lots(entrants, Random(7)) != draw_lots(entrants, Random(8))
        assert sorted(lots.values()) == entrants
        lines = table(entrants, [], lots=lots)
        assert order(lines) == sorted(entrants, key=lots.get)
        names = {entrant: f"#{entrant}" for entrant in entrants}
        assert lines[0].reason.text(names) == f"above #{lines[1].entrant} by drawing lots"

    def test_before_lots_are_drawn_level_entrants_stay_level(self):
        assert ranks(table([A, B], [])) == {A: 1, B: 1}

    def test_seeds_decide_only_when_named(self):
        lines = table([B, A], [], ["seed"])
        assert ranks(lines) == {B: 1, A: 2}
        assert reasons(lines) == ["above A by seed, 1 to 2"]
        assert ranks(table([B, A], [], ["points"])) == {B: 1, A: 1}


class TestRefusals:
    def test_an_unknown_year_of_rules_is_refused(self):
        with pytest.raises(InvalidTieBreak, match="2024 and 2026, not of 2025"):
            table([A, B], [], rule_year=2025)

    def test_a_missing_lot_is_refused(self):
        with pytest.raises(InvalidTieBreak, match="Entrant 2 has no lot"):
            table([A, B], [], lots={A: 1})

    def test_results_that_do_not_fit_the_entrants_are_refused(self):
        with pytest.raises(InvalidField, match="round 1 names 3"):
            table([A, B], [Result(1, A, C, A)])
        with pytest.raises(InvalidField, match="Entrant 1 has two results"):
            table([A, B, C], [Result(1, A, C, A), Result(1, A, B, A)])
        with pytest.raises(InvalidField, match="listed twice"):
            table([A, B, A], [])


class TestEveryLeague:
    @given(leagues())
    def test_everybody_has_one_place_and_ranks_count_those_above(self, league):
        entrants, results, settings = league
        lines = standings(entrants, results, **settings)
        assert sorted(order(lines)) == entrants
        assert lines[0].rank == 1
        for place, (upper, lower) in enumerate(pairwise(lines), start=1):
            assert lower.rank in (upper.rank, place + 1)

    @given(leagues())
    def test_points_are_conserved(self, league):
        entrants, results, settings = league
        worth, total = settings["points"], 0
        for result in results:
            if result.away is None:
                total += worth.bye
            elif result.winner is not None:
                total += worth.win + worth.loss
            else:
                total += 2 * (worth.loss if result.forfeit else worth.draw)
        lines = standings(entrants, results, **settings)
        assert sum(line.points for line in lines) == total
        assert sum(line.scored for line in lines) == sum(line.conceded for line in lines)
        assert sum(line.played for line in lines) == 2 * sum(result.away is not None for result in results)
        for line in lines:
            wins_by_bye = line.byes if worth.bye >= worth.win else 0
            assert line.wins + line.draws + line.losses == line.played + wins_by_bye

    @given(leagues(), st.randoms(use_true_random=False))
    def test_neither_the_order_of_results_nor_names_nor_sides_matter(self, league, rng):
        entrants, results, settings = league
        settings["parts"] = [part for part in settings["parts"] or SWISS_PARTS if part != "seed"]
        renamed = dict(zip(entrants, rng.sample(range(100, 200), len(entrants)), strict=True)) | {None: None}
        mixed = [
            Result(r.round, renamed[r.away], renamed[r.home], renamed[r.winner], r.away_score, r.home_score, r.forfeit)
            if r.away is not None and rng.random() < 0.5
            else Result(
                r.round, renamed[r.home], renamed[r.away], renamed[r.winner], r.home_score, r.away_score, r.forfeit
            )
            for r in rng.sample(results, len(results))
        ]
        expected = {
            renamed[line.entrant]: (line.rank, line.values) for line in standings(entrants, results, **settings)
        }
        if "lots" in settings:
            settings["lots"] = {renamed[entrant]: lot for entrant, lot in settings["lots"].items()}
        lines = standings(rng.sample(list(expected), len(expected)), mixed, **settings)
        assert {line.entrant: (line.rank, line.values) for line in lines} == expected

    @given(leagues())
    def test_the_reasons_recompute_the_order(self, league):
        """Each reason's part separates the two by the values it gives, and no earlier part does."""
        entrants, results, settings = league
        lines = standings(entrants, results, **settings)
        usual = SWISS_PARTS if settings["format"] is Format.SWISS else ROUND_ROBIN_PARTS
        parts = [Part.parse(name) for name in settings["parts"] or usual]
        for upper, lower in pairwise(lines):
            reason = upper.reason
            assert reason.other == lower.entrant
            if reason.part is None:
                assert upper.rank == lower.rank
                assert upper.values == lower.values
                continue
            assert upper.rank < lower.rank
            assert (reason.own < reason.others) == (reason.part.measure in LOWER_IS_BETTER)
            for part in parts[: parts.index(reason.part)]:
                if not part.tied:
                    assert upper.values.get(str(part)) == lower.values.get(str(part))
            if not reason.part.tied:
                assert (reason.own, reason.others) == (upper.values[str(reason.part)], lower.values[str(reason.part)])
                continue
            assert {upper.entrant, lower.entrant} <= set(reason.among)
            assert len(reason.among) == reason.tied
            # A standing of these entrants alone gives the same values.
            between = [
                r
                for r in results
                if {r.home, r.away} <= set(reason.among) and (settings["format"] is not Format.SWISS or not r.forfeit)
            ]
            measure = "points" if reason.part.measure is Measure.HEAD_TO_HEAD else str(reason.part.measure)
            alone = standings(reason.among, between, **settings | {"parts": [measure], "lots": None})
            assert {
                line.entrant: line.values[measure] for line in alone if line.entrant in (upper.entrant, lower.entrant)
            } == {
                upper.entrant: reason.own,
                lower.entrant: reason.others,
            }
