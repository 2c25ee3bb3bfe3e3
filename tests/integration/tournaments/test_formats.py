"""Whole tournaments of every format, played through the services to their end."""

from random import Random

import msgspec
import pytest

from apps.errors import BadRequest, Conflict
from apps.eventlog import log
from apps.eventlog.log import PUBLIC
from apps.tournaments.models import StageEntry, Status
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.selectors.standings import tables_of
from apps.tournaments.services import Actor, brackets, entries, matches, stages
from engine.match_flow import Score
from engine.projection import fold
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db


def the_log_is_the_state(cup):
    events = log.read(cup.stream, after=0, limit=100_000, audiences=[PUBLIC])
    assert fold(msgspec.json.decode(e.data) for e in events) == tournament_snapshot(cup.pk, audience=PUBLIC).data


def ranks(stage):
    rows = StageEntry.objects.filter(stage=stage).order_by("group", "rank", "seed")
    return [row.rank for row in rows]


@pytest.mark.parametrize("entrants", [2, 3, 4, 7, 8, 13])
@pytest.mark.parametrize(
    ("format", "stage"),
    [
        (Format.SINGLE_ELIMINATION, {"third_place_match": False}),
        (Format.DOUBLE_ELIMINATION, {"best_of": 3, "best_of_rounds": {"final": 5}}),
        (Format.ROUND_ROBIN, {"legs": 2}),
        (Format.SWISS, {}),
    ],
)
def test_while_the_better_seed_wins_the_best_are_placed_in_order(format, stage, entrants):
    cup = factories.drawn(entrants, format=format, stage=stage)
    factories.play(cup)
    cup = factories.fresh(cup)
    assert cup.status == Status.COMPLETED
    assert cup.champion.seed == 1
    if format != Format.SWISS:  # where the second may have lost to the best early on
        assert cup.runner_up.seed == 2
    assert ranks(cup.stages.get())[:2] == [1, 2]
    the_log_is_the_state(cup)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("format", Format)
def test_a_tournament_of_chance_comes_to_its_end(format, seed):
    rng = Random(seed)
    stage = {"points": {"win": 2, "draw": 1, "loss": 0, "bye": 2}}
    cup = factories.drawn(rng.randint(2, 17), capacity=32, format=format, stage=stage)

    def decide(match):
        level = format.is_league and rng.random() < 0.3
        return Score(1, 1) if level else Score(*rng.choice([(1, 0), (0, 2)]))

    factories.play(cup, decide)
    assert factories.fresh(cup).status == Status.COMPLETED
    assert factories.fresh(cup).champion
    the_log_is_the_state(cup)


class TestStages:
    def test_groups_lead_to_playoffs_in_which_group_mates_are_in_opposite_halves(self):
        group_stage = {"groups": 4, "advance": 2}
        cup = factories.open_with_entries(16, format=Format.ROUND_ROBIN, stage=group_stage)
        stages.add(Actor(cup.created_by), cup.pk, format=Format.SINGLE_ELIMINATION, name="Playoffs", best_of=3)
        factories.draw(cup)
        factories.play(cup, matches_at_most=24)
        groups, playoffs = cup.stages.order_by("number")
        assert groups.state == "completed"
        assert ranks(groups) == [1, 2, 3, 4] * 4
        brackets.generate(Actor(cup.created_by), cup.pk)
        group_of = dict(groups.entries.values_list("entry", "group"))
        first_round = list(playoffs.matches.filter(round=1).order_by("position"))
        assert [match.best_of for match in first_round] == [3, 3, 3, 3]
        halves = [
            {group_of[e] for m in half for e in (m.home_id, m.away_id)} for half in (first_round[:2], first_round[2:])
        ]
        assert halves == [{1, 2, 3, 4}, {1, 2, 3, 4}]
        factories.play(cup)
        assert factories.fresh(cup).champion.seed == 1
        the_log_is_the_state(cup)

    def test_stages_chain_in_any_number(self):
        cup = factories.open_with_entries(12, format=Format.SWISS, stage={"rounds": 3, "advance": 8})
        by = Actor(cup.created_by)
        stages.add(by, cup.pk, format=Format.ROUND_ROBIN, groups=2, advance=2)
        stages.add(by, cup.pk, format=Format.DOUBLE_ELIMINATION, advance=3)
        stages.add(by, cup.pk, format=Format.SWISS, rounds=1)
        factories.draw(cup)
        factories.play(cup)
        assert [stage.entries.count() for stage in cup.stages.order_by("number")] == [12, 8, 4, 3]
        assert factories.fresh(cup).status == Status.COMPLETED
        the_log_is_the_state(cup)

    def test_a_later_stage_waits_for_the_one_before(self):
        cup = factories.open_with_entries(4, format=Format.ROUND_ROBIN)
        by = Actor(cup.created_by)
        stages.add(by, cup.pk, format=Format.SINGLE_ELIMINATION, advance=2)
        factories.draw(cup)
        factories.play(cup, matches_at_most=3)
        with pytest.raises(Conflict, match="too late for a new bracket"):
            brackets.generate(by, cup.pk)

    @pytest.mark.parametrize(
        ("settings", "sentence"),
        [
            ({"groups": 0}, "groups is a number from 1"),
            ({"best_of": 2}, "needs a winner"),
            ({"best_of_rounds": {"semi": 3}}, "names no round"),
            ({"tie_breaks": ["luck"]}, "luck"),
            ({"rule_year": 1999}, "2024, 2026"),
            ({"points": {"win": 0, "draw": 1, "loss": 0, "bye": 0}}, "less than a draw"),
            ({"fancy": 1}, "no setting fancy"),
            ({"legs": "two"}, "Expected `int`"),
        ],
    )
    def test_settings_that_make_no_sense_are_refused_with_what_they_can_be(self, settings, sentence):
        cup = factories.make_tournament()
        with pytest.raises(BadRequest, match=sentence):
            stages.add(Actor(cup.created_by), cup.pk, format=Format.SINGLE_ELIMINATION, **settings)

    def test_only_the_last_stage_can_be_removed_while_it_is_not_drawn(self):
        cup = factories.make_tournament()
        by = Actor(cup.created_by)
        second = stages.add(by, cup.pk, format=Format.SWISS).ids["stage_id"]
        third = stages.add(by, cup.pk, format=Format.SWISS).ids["stage_id"]
        with pytest.raises(Conflict, match="Only the last stage"):
            stages.remove(by, second)
        stages.remove(by, third)
        stages.remove(by, second)
        with pytest.raises(Conflict, match="Only the last stage"):
            stages.remove(by, cup.stages.get().pk)

    def test_without_the_stage_to_come_a_tournament_whose_last_is_over_ends(self):
        cup = factories.open_with_entries(4, format=Format.ROUND_ROBIN, stage={"advance": 2})
        by = Actor(cup.created_by)
        final = stages.add(by, cup.pk, format=Format.SINGLE_ELIMINATION).ids["stage_id"]
        factories.draw(cup)
        factories.play(cup, matches_at_most=6)
        assert factories.fresh(cup).status == Status.LIVE
        stages.remove(by, final)
        cup = factories.fresh(cup)
        assert (cup.status, cup.champion.seed, cup.runner_up.seed, cup.third_place.seed) == ("completed", 1, 2, 3)
        the_log_is_the_state(cup)

    def test_what_a_draw_was_made_from_stays_once_it_is_drawn(self):
        cup = factories.drawn(4, format=Format.ROUND_ROBIN)
        by, stage = Actor(cup.created_by), cup.stages.get()
        with pytest.raises(Conflict, match="groups cannot change now"):
            stages.edit(by, stage.pk, groups=2)
        stages.edit(by, stage.pk, name="League", tie_breaks=["points", "wins"])
        stage.refresh_from_db()
        assert (stage.name, stage.options.tie_breaks) == ("League", ["points", "wins"])


class TestLeaving:
    def test_who_leaves_a_round_robin_early_does_not_count(self):
        cup = factories.drawn(6, format=Format.ROUND_ROBIN)
        factories.play(cup, matches_at_most=3)
        leaver = cup.entries.get(seed=6)
        entries.withdraw(Actor(leaver.user), leaver.pk)
        own = [m for m in cup.matches.all() if leaver.pk in (m.home_id, m.away_id)]
        assert sorted(m.state for m in own) == ["cancelled"] * 4 + ["completed"]
        factories.play(cup)
        table = tables_of(cup.stages.get())[0]
        assert [row.played for row in table] == [4] * 5
        assert factories.fresh(cup).status == Status.COMPLETED
        the_log_is_the_state(cup)

    def test_who_leaves_a_round_robin_late_loses_what_is_left(self):
        cup = factories.drawn(4, format=Format.ROUND_ROBIN)
        factories.play(cup, matches_at_most=4)
        leaver = cup.entries.get(seed=1)
        entries.withdraw(Actor(leaver.user), leaver.pk)
        table = {row.entrant: row for row in tables_of(cup.stages.get())[0]}
        assert (table[leaver.pk].wins, table[leaver.pk].losses) == (2, 1)
        the_log_is_the_state(cup)

    def test_who_leaves_a_swiss_is_not_paired_again(self):
        cup = factories.drawn(8, format=Format.SWISS)
        match = factories.match_number(cup, 1)
        matches.start(Actor(cup.created_by), match.pk)
        entries.withdraw(Actor(match.home.user), match.home_id)
        match.refresh_from_db()
        assert (match.state, match.winner_id) == ("forfeit", match.away_id)
        factories.play(cup)
        own = [m for m in cup.matches.all() if match.home_id in (m.home_id, m.away_id)]
        assert own == [match]
        assert factories.fresh(cup).status == Status.COMPLETED
