"""
Files of brackets-manager.js.

The files in tests/data/brackets were written by brackets-manager 1.11.1 with brackets-memory-db: `create.stage`, then
`update.match` for what was ready, then `export()`; "plural" has the table names that brackets-viewer uses.
"""

import json
from pathlib import Path

import pytest

from apps.errors import BadRequest
from apps.tournaments.exchange.brackets_json import read_brackets
from engine.bracket import Bracket, Side
from engine.elimination import single_elimination
from engine.stages import Format, StageSettings

DATA = Path(__file__).parents[2] / "data/brackets"
EIGHT = ("Ada", "Boris", "Chen", "Dilan", "Elif", "Farid", "Greta", "Hugo")


def sample(name):
    return json.loads((DATA / f"{name}.json").read_bytes())


def stage_of(name):
    return read_brackets((DATA / f"{name}.json").read_bytes()).stages[0]


def changed(name, change):
    tables = sample(name)
    change(tables)
    return json.dumps(tables).encode()


def pairs(stage):
    return [(m.bracket, m.round, m.home, m.away) for m in stage.matches]


class TestElimination:
    def test_a_single_elimination_with_its_third_place_match(self):
        brackets = read_brackets((DATA / "single_8.json").read_bytes())
        stage = brackets.stages[0]
        assert (brackets.name, brackets.participants) == ("Cup", EIGHT)
        assert (stage.format, stage.seeding, stage.groups) == (Format.SINGLE_ELIMINATION, EIGHT, ())
        assert stage.settings == StageSettings(third_place_match=True, grand_final_reset=False)
        assert all(match.decided and not match.forfeit for match in stage.matches)
        last = stage.matches[-1]
        assert (last.bracket, last.home, last.away) == (Bracket.THIRD_PLACE, "Ada", "Greta")
        assert (last.home_score, last.away_score, last.winner) == (1, 2, Side.AWAY)

    @pytest.mark.parametrize("name", ["single_8", "single_5_balanced"])
    def test_our_bracket_of_its_seeding_leads_to_the_same_pairs(self, name):
        stage = stage_of(name)
        results = {frozenset((m.home, m.away)): m for m in stage.matches if m.decided}
        sides, met = {}, set()
        for match in single_elimination(len(stage.seeding), third_place=stage.settings.third_place_match):
            seeds = {Side.HOME: match.home_seed, Side.AWAY: match.away_seed}
            pair = [
                stage.seeding[seed - 1] if seed else sides.get((match.number, side)) for side, seed in seeds.items()
            ]
            if found := results.get(frozenset(pair)):
                met.add(frozenset(pair))
                winner, loser = (found.home, found.away)[:: 1 if found.winner is Side.HOME else -1]
                for place, who in ((match.winner_to, winner), (match.loser_to, loser)):
                    if place:
                        sides[place.match, place.side] = who
        assert met == results.keys()

    def test_a_double_elimination_with_its_reset(self):
        stage = stage_of("double_8")
        assert (stage.format, stage.seeding) == (Format.DOUBLE_ELIMINATION, EIGHT)
        assert stage.settings.grand_final_reset
        assert [sum(m.bracket is bracket for m in stage.matches) for bracket in Bracket] == [7, 6, 2, 0]
        assert pairs(stage)[7:9] == [(Bracket.LOWER, 1, "Hugo", "Dilan"), (Bracket.LOWER, 1, "Boris", "Farid")]
        assert pairs(stage)[-2:] == [(Bracket.GRAND_FINAL, 1, "Elif", "Chen"), (Bracket.GRAND_FINAL, 2, "Elif", "Chen")]

    def test_byes_are_left_out_and_other_lengths_kept(self):
        stage = stage_of("double_6_plural")
        assert stage.seeding == EIGHT[:6]
        assert (stage.settings.best_of, stage.settings.best_of_rounds) == (1, {"lower 4": 3})
        assert not stage.settings.grand_final_reset
        assert len(stage.matches) == 10  # everyone but the champion loses twice, the runner-up once
        assert None not in {name for match in stage.matches for name in (match.home, match.away)}

    def test_a_bracket_with_byes_elsewhere_is_turned_until_they_are_for_the_best_seeds(self):
        stage = stage_of("single_5_balanced")
        assert stage.seeding == ("Chen", "Ada", "Dilan", "Boris", "Elif")
        assert [(m.home, m.away, m.decided, m.forfeit) for m in stage.matches] == [
            ("Boris", "Elif", True, True),
            ("Ada", "Dilan", True, False),
            ("Elif", "Chen", False, False),
            ("Ada", None, False, False),
        ]

    def test_the_side_of_a_bye_does_not_matter(self):
        def swap(tables):
            bye = tables["matches"][0]
            bye["opponent1"], bye["opponent2"] = bye["opponent2"], bye["opponent1"]

        assert read_brackets(changed("double_6_plural", swap)).stages[0].seeding == EIGHT[:6]

    @pytest.mark.parametrize(
        ("home", "away", "winner"), [(True, False, Side.AWAY), (False, True, Side.HOME), (True, True, None)]
    )
    def test_a_forfeit_decides_without_a_result(self, home, away, winner):
        sides = {"opponent1": {"id": 1, "forfeit": home}, "opponent2": {"id": 4, "forfeit": away}}
        match = read_brackets(changed("single_5_balanced", set_("match", 2, **sides))).stages[0].matches[0]
        assert (match.home, match.away, match.decided, match.winner) == ("Boris", "Elif", True, winner)
        assert match.forfeit

    def test_a_reset_that_nobody_has_to_play_is_left_out(self):
        def upper_wins(tables):
            first, reset = tables["match"][-2:]
            first["opponent1"]["result"], first["opponent2"]["result"] = "win", "loss"
            for side in ("opponent1", "opponent2"):
                reset[side] = {"id": reset[side]["id"]}

        assert len(read_brackets(changed("double_8", upper_wins)).stages[0].matches) == 14


class TestRoundRobin:
    def test_groups_draws_and_forfeits(self):
        stage = stage_of("round_robin")
        assert (stage.format, stage.settings.groups, stage.settings.legs) == (Format.ROUND_ROBIN, 2, 1)
        assert stage.seeding == EIGHT[:7]
        assert stage.groups == (("Ada", "Chen", "Elif", "Greta"), ("Boris", "Dilan", "Farid"))
        assert len(stage.matches) == 6 + 3
        drawn, forfeited, waiting = stage.matches[2], stage.matches[4], stage.matches[-1]
        assert (drawn.decided, drawn.winner, drawn.home_score, drawn.away_score) == (True, None, 1, 1)
        assert (forfeited.winner, forfeited.forfeit, forfeited.home_score) == (Side.HOME, True, None)
        assert (waiting.group, waiting.round, waiting.home, waiting.decided) == (2, 3, "Dilan", False)

    def test_double_round_robins_have_two_legs(self):
        data = changed("round_robin", lambda t: t["stage"][0]["settings"].update(roundRobinMode="double"))
        assert read_brackets(data).stages[0].settings.legs == 2


def set_(table, row, **values):
    return lambda tables: tables[table][row].update(values)


def won(participant, result="win"):
    return {"id": participant, "result": result}


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "change", "says"),
        [
            ("single_8", set_("stage", 0, type="swiss"), "type “swiss” is none of single_elimination, double"),
            ("double_8", set_("stage", 0, settings={"grandFinal": "none"}), "no grand final"),
            ("double_8", set_("stage", 0, settings={"skipFirstRound": True}), "skipFirstRound"),
            ("double_8", set_("stage", 0, settings={"consolationFinal": True}), "consolation final"),
            ("double_8", set_("match", 13, opponent1=won(4), opponent2={"id": 2}), "yet the reset was played"),
            (
                "single_8",
                set_("match", 0, opponent1=won(0), opponent2=won(7)),
                "Ada and Hugo in round 1 has two",
            ),
            ("single_8", set_("match", 0, opponent1=won(0, "draw"), opponent2=won(7, "draw")), "is drawn"),
            ("single_8", set_("match", 4, opponent1={}, opponent2=won(4)), "nobody yet and Elif in round 2 is decided"),
            ("single_8", set_("match", 0, opponent1={}, opponent2={"id": 7}), "Seed the stage first"),
            ("single_8", set_("match", 0, opponent1={"id": 1}, opponent2={"id": 7}), "everyone in it once"),
            ("single_8", lambda tables: tables["match"].pop(0), "not a whole bracket"),
            ("double_8", set_("match", 1, opponent1=None), "byes stand where we give none"),
            ("single_8", set_("match", 0, child_count=3), "round 1 of the main bracket have other lengths"),
            ("single_8", lambda tables: [m.update(child_count=2) for m in tables["match"]], "can end level"),
            ("single_8", set_("match", 0, group_id=9), "the group 9, which is not in the file"),
            ("single_8", set_("match", 0, round_id="x"), "the round x, which is not in the file"),
            ("single_8", set_("match", 0, opponent1={"id": 99}), "the participant 99"),
            ("single_8", set_("group", 1, number=3), "a match in group 3"),
            ("single_8", set_("participant", 1, name=" ADA "), "Two participants are called “ADA”"),
            ("single_8", set_("participant", 1, name=" "), "Participant 1: The name is missing"),
            ("single_8", lambda tables: tables["participant"].clear(), "has 0 participants"),
            ("single_8", lambda tables: tables["stage"].clear(), "has no stage"),
            ("single_8", lambda tables: tables.pop("round"), "missing required field `round`"),
            ("single_8", set_("match", 0, opponent1={"score": -1}), r"match\[0\].opponent1.score"),
            ("round_robin", set_("match", 0, group_id=1), "plays in groups"),
        ],
    )
    def test_what_cannot_be_played_again_is_refused_with_a_reason(self, name, change, says):
        with pytest.raises(BadRequest, match=says) as refused:
            read_brackets(changed(name, change))
        assert refused.value.data["field"] == "file"

    @pytest.mark.parametrize("data", [b"", b"[]", b"{", b"[" * 100_000, b'{"a": ' * 100_000, b"\x89PNG\r\n\x1a\n\0"])
    def test_what_is_no_export_is_refused(self, data):
        with pytest.raises(BadRequest, match=r"not a file of brackets-manager|not text"):
            read_brackets(data)
