"""Take a result back, see before what that undoes, and take the taking back in turn."""

import copy
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.errors import BadRequest, Conflict, NotFound, PermissionDenied
from apps.eventlog import log
from apps.eventlog.log import PUBLIC
from apps.tournaments.models import Match, Reopening, StageState, Status
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import Actor, brackets, entries, matches, reopening, stages, tournaments
from engine.bracket import Side
from engine.match_flow import OVER, Score
from engine.projection import fold
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db


def state(cup):
    """The public state, which is also what the log adds up to."""
    events = log.read(cup.stream, after=0, limit=100_000, audiences=[PUBLIC])
    snapshot = tournament_snapshot(cup.pk, audience=PUBLIC).data
    assert fold(msgspec.json.decode(e.data) for e in events) == snapshot
    return copy.deepcopy(snapshot)


def without_versions(state):
    for match in state["matches"].values():
        del match["version"]
    return state


def reopen(cup, match, score=None):
    by = Actor(cup.created_by)
    seen = reopening.preview(by, match.pk, score=score)
    return seen, reopening.reopen(by, match.pk, token=seen.token, score=score).ids["reopening_id"]


class TestPreview:
    def test_it_says_what_would_be_undone_and_undoes_nothing(self):
        cup = factories.drawn(8)
        factories.play(cup)
        before = state(cup)
        first = factories.match_number(cup, 1)
        seen = reopening.preview(Actor(cup.created_by), first.pk)
        assert state(cup) == before
        assert not Reopening.objects.exists()
        numbers = sorted(row["number"] for row in seen.voided)
        assert numbers == [5, 7, 8]
        assert seen.live == []
        assert {(entry, side) for _, side, entry in seen.leaving} >= {(first.home_id, "home")}

    def test_it_says_which_match_is_being_played_now(self):
        cup = factories.drawn(4)
        factories.play(cup, matches_at_most=2)
        final = factories.match_number(cup, 4)
        matches.start(Actor(cup.created_by), final.pk)
        seen = reopening.preview(Actor(cup.created_by), factories.match_number(cup, 1).pk)
        assert seen.live == [final.pk]

    def test_a_correction_that_changes_no_winner_undoes_nothing(self):
        cup = factories.drawn(8)
        factories.play(cup)
        first = factories.match_number(cup, 1)
        seen, _ = reopen(cup, first, Score(5, 4))
        assert (seen.voided, seen.leaving) == ([], [])
        first.refresh_from_db()
        assert (first.state, first.home_score) == ("completed", 5)
        assert factories.fresh(cup).status == Status.COMPLETED

    def test_a_preview_of_before_is_refused_with_the_present_one(self):
        cup = factories.drawn(4)
        factories.play(cup, matches_at_most=2)
        first, final = factories.match_number(cup, 1), factories.match_number(cup, 4)
        seen = reopening.preview(Actor(cup.created_by), first.pk)
        matches.start(Actor(cup.created_by), final.pk)
        before = state(cup)
        with pytest.raises(Conflict, match="Look again") as refusal:
            reopening.reopen(Actor(cup.created_by), first.pk, token=seen.token)
        assert [row["id"] for row in refusal.value.data["preview"]["voided"]] == [final.pk]
        assert state(cup) == before

    def test_it_is_for_the_staff(self):
        cup = factories.drawn(2)
        factories.play(cup)
        match = factories.match_number(cup, 1)
        with pytest.raises(PermissionDenied):
            reopening.preview(Actor(match.home.user), match.pk)


class TestReopen:
    def test_later_matches_lose_their_entrants_and_the_tournament_goes_on(self):
        cup = factories.drawn(8)
        factories.play(cup)
        _, _ = reopen(cup, factories.match_number(cup, 1))
        assert factories.fresh(cup).status == Status.LIVE
        assert factories.fresh(cup).champion is None
        states = {m.number: m.state for m in cup.matches.all()}
        assert {n for n, s in states.items() if s in OVER} == {2, 3, 4, 6}
        assert (states[1], states[5], states[7], states[8]) == ("ready", "scheduled", "scheduled", "scheduled")
        factories.play(cup, lambda match: Score(0, 1))
        assert factories.fresh(cup).status == Status.COMPLETED
        state(cup)

    def test_overwritten_results_are_offered_when_the_same_two_meet_again(self):
        cup = factories.drawn(4)
        factories.play(cup)
        first, final = factories.match_number(cup, 1), factories.match_number(cup, 4)
        reopen(cup, first)
        matches.start(Actor(cup.created_by), first.pk)
        matches.finish(Actor(cup.created_by), first.pk, Score(7, 0))
        again = Match.objects.get(pk=final.pk)
        assert (again.state, again.home_score) == ("ready", 0)
        assert matches.kept_result(again)["home_score"] == final.home_score
        matches.take_kept(Actor(cup.created_by), again.pk)
        again.refresh_from_db()
        assert (again.state, again.home_score, again.winner_id) == ("completed", final.home_score, final.winner_id)

    def test_no_result_is_offered_to_another_pair(self):
        cup = factories.drawn(4)
        factories.play(cup)
        first, final = factories.match_number(cup, 1), factories.match_number(cup, 4)
        reopen(cup, first, Score(0, 1))
        again = Match.objects.get(pk=final.pk)
        assert again.home_id == first.away_id
        assert matches.kept_result(again) is None
        with pytest.raises(Conflict, match="No earlier result"):
            matches.take_kept(Actor(cup.created_by), again.pk)

    def test_a_draw_of_before_is_not_taken_into_a_bracket(self):
        cup = factories.open_with_entries(4, format=Format.SWISS, stage={"rounds": 1})
        by = Actor(cup.created_by)
        second = stages.add(by, cup.pk, format=Format.ROUND_ROBIN, advance=2).ids["stage_id"]
        factories.draw(cup)
        factories.play(cup, matches_at_most=2)
        brackets.generate(by, cup.pk)
        drawn = Match.objects.filter(stage=second, state="ready").order_by("number").first()
        matches.start(by, drawn.pk)
        matches.finish(by, drawn.pk, Score(1, 1))
        first = cup.matches.get(stage__number=1, number=1)
        reopen(cup, first)
        stages.edit(by, second, format=Format.SINGLE_ELIMINATION)
        matches.start(by, first.pk)
        matches.finish(by, first.pk, Score(2, 0))
        brackets.generate(by, cup.pk)
        again = cup.matches.get(stage=second, number=drawn.number)
        assert matches.kept_result(again)["winner"] is None
        before = state(cup)
        with pytest.raises(BadRequest, match="needs a winner"):
            matches.take_kept(by, again.pk)
        assert state(cup) == before

    def test_a_league_counts_anew_and_paired_rounds_stay(self):
        cup = factories.drawn(8, format=Format.SWISS)
        factories.play(cup, matches_at_most=8)
        first = factories.match_number(cup, 1)
        seen, _ = reopen(cup, first, Score(0, 1))
        assert (seen.voided, seen.leaving) == ([], [])
        assert cup.matches.count() == 8
        state(cup)

    def test_a_paired_round_is_redone_only_when_asked(self):
        cup = factories.drawn(8, format=Format.SWISS)
        factories.play(cup, matches_at_most=4)
        brackets.pair(Actor(cup.created_by), cup.pk)
        reopen(cup, factories.match_number(cup, 1), Score(0, 1))
        before = {frozenset((m.home_id, m.away_id)) for m in cup.matches.filter(round=2)}
        brackets.pair(Actor(cup.created_by), cup.pk, again=True)
        after = {frozenset((m.home_id, m.away_id)) for m in cup.matches.filter(round=2)}
        assert len(before) == len(after) == 4
        assert before != after
        state(cup)

    def test_who_had_the_bye_of_a_round_that_is_paired_again_has_it_only_once(self):
        cup = factories.drawn(7, format=Format.SWISS)
        factories.play(cup, matches_at_most=3)
        by = Actor(cup.created_by)
        brackets.pair(by, cup.pk)
        for _ in range(2):
            brackets.pair(by, cup.pk, again=True)
        byes = sorted(number for row in cup.stages.get().entries.all() for number in row.byes)
        assert byes == [1, 2]
        state(cup)

    def test_both_sides_check_in_again_after_a_reopening(self):
        cup = factories.drawn(4, match_check_in_minutes=10)
        factories.play(cup, matches_at_most=2)
        final = factories.match_number(cup, 4)
        by = Actor(cup.created_by)
        assert final.state == "check_in"
        for side in Side:
            matches.check_in(by, final.pk, side=side)
        reopen(cup, factories.match_number(cup, 1), Score(0, 1))
        final.refresh_from_db()
        assert (final.state, final.home_checked_in, final.away_checked_in) == ("check_in", False, False)

    def test_a_match_that_was_disputed_before_can_be_disputed_again(self):
        cup = factories.drawn(4)
        factories.play(cup, matches_at_most=2)
        first, final = factories.match_number(cup, 1), factories.match_number(cup, 4)
        for text in ("They left.", "They left again."):
            matches.start(Actor(cup.created_by), final.pk)
            by = Actor(factories.match_number(cup, 4).away.user)
            matches.dispute(by, final.pk, text=text)
            reopen(cup, first, Score(0, 2) if text == "They left." else None)
        assert final.disputes.filter(resolved_at=None).count() == 1

    def test_a_draw_made_from_the_result_is_taken_back_and_its_results_are_offered_again(self):
        cup = factories.open_with_entries(8, format=Format.ROUND_ROBIN, stage={"groups": 2, "advance": 2})
        by = Actor(cup.created_by)
        stages.add(by, cup.pk, format=Format.SINGLE_ELIMINATION)
        factories.draw(cup)
        factories.play(cup)
        groups, playoffs = cup.stages.order_by("number")
        final = playoffs.matches.get(winner_to=None, bracket="main")
        first = groups.matches.order_by("number").first()
        seen, _ = reopen(cup, first)
        assert seen.withdrawn == [playoffs.pk]
        assert len(seen.voided) == 4
        playoffs.refresh_from_db()
        assert (playoffs.state, playoffs.matches.count()) == (StageState.PENDING, 0)
        factories.play(
            cup, lambda match: Score(2, 0) if match.home.seed < match.away.seed else Score(0, 2), matches_at_most=1
        )
        brackets.generate(by, cup.pk)
        drawn_again = playoffs.matches.get(number=final.number)
        assert drawn_again.kept[0]["winner"] == final.winner_id
        state(cup)

    def test_a_correction_that_sends_on_the_same_entrants_leaves_the_playoffs_alone(self):
        cup = factories.open_with_entries(8, format=Format.ROUND_ROBIN, stage={"groups": 2, "advance": 2})
        stages.add(Actor(cup.created_by), cup.pk, format=Format.SINGLE_ELIMINATION)
        factories.draw(cup)
        factories.play(cup)
        groups = cup.stages.get(number=1)
        best = groups.matches.filter(home__seed=1).first() or groups.matches.filter(away__seed=1).first()
        seen, _ = reopen(cup, best, Score(9, 0) if best.home.seed == 1 else Score(0, 9))
        assert (seen.withdrawn, seen.voided) == ([], [])
        assert factories.fresh(cup).status == Status.COMPLETED
        state(cup)

    def test_a_match_without_a_result_has_none_to_take_back(self):
        cup = factories.drawn(4)
        with pytest.raises(Conflict, match="no result"):
            reopening.preview(Actor(cup.created_by), factories.match_number(cup, 1).pk)

    def test_a_match_nobody_could_play_is_reopened_further_back(self):
        cup = factories.drawn(4)
        by = Actor(cup.created_by)
        matches.forfeit(by, factories.match_number(cup, 1).pk, loser=None)
        factories.play(cup)
        final = factories.match_number(cup, 4)
        assert (final.state, final.home_id) == ("forfeit", None)
        with pytest.raises(Conflict, match="entrants were to come from"):
            reopening.preview(by, final.pk)


class TestUndo:
    def test_undoing_a_reopening_restores_everything_exactly(self):
        cup = factories.drawn(8, format=Format.DOUBLE_ELIMINATION)
        factories.play(cup)
        before = without_versions(state(cup))
        _, pk = reopen(cup, factories.match_number(cup, 2))
        assert without_versions(state(cup)) != before
        reopening.undo(Actor(cup.created_by), pk)
        assert without_versions(state(cup)) == before

    def test_a_withdrawn_draw_comes_back_with_all_its_results(self):
        cup = factories.open_with_entries(8, format=Format.ROUND_ROBIN, stage={"groups": 2, "advance": 2})
        stages.add(Actor(cup.created_by), cup.pk, format=Format.SINGLE_ELIMINATION)
        factories.draw(cup)
        factories.play(cup)
        before = without_versions(state(cup))
        _, pk = reopen(cup, cup.matches.order_by("stage__number", "number").first())
        reopening.undo(Actor(cup.created_by), pk)
        assert without_versions(state(cup)) == before

    def test_it_is_refused_once_something_has_happened(self):
        cup = factories.drawn(4)
        factories.play(cup)
        first = factories.match_number(cup, 1)
        _, pk = reopen(cup, first)
        matches.start(Actor(cup.created_by), first.pk)
        before = state(cup)
        with pytest.raises(Conflict, match="Something has happened since"):
            reopening.undo(Actor(cup.created_by), pk)
        assert state(cup) == before

    def test_it_is_done_once(self):
        cup = factories.drawn(2)
        factories.play(cup)
        _, pk = reopen(cup, factories.match_number(cup, 1))
        reopening.undo(Actor(cup.created_by), pk)
        with pytest.raises(Conflict):
            reopening.undo(Actor(cup.created_by), pk)


class TestUndoAmongOtherThings:
    """What happened beside a reopening stays when it is undone."""

    def test_a_stage_whose_other_matches_were_played_since_is_over(self):
        cup = factories.drawn(4, format=Format.ROUND_ROBIN)
        factories.play(cup, matches_at_most=1)
        _, pk = reopen(cup, factories.match_number(cup, 1), Score(0, 5))
        factories.play(cup)
        reopening.undo(Actor(cup.created_by), pk)
        assert cup.stages.get().state == StageState.COMPLETED
        assert factories.fresh(cup).champion == factories.match_number(cup, 1).home

    def test_another_match_that_is_open_again_keeps_the_stage_open(self):
        cup = factories.drawn(4, format=Format.ROUND_ROBIN)
        factories.play(cup)
        _, first = reopen(cup, factories.match_number(cup, 1))
        _, second = reopen(cup, factories.match_number(cup, 2))
        reopening.undo(Actor(cup.created_by), first)
        assert (cup.stages.get().state, factories.fresh(cup).status) == (StageState.LIVE, Status.LIVE)
        reopening.undo(Actor(cup.created_by), second)
        assert (cup.stages.get().state, factories.fresh(cup).status) == (StageState.COMPLETED, Status.COMPLETED)

    def test_settings_changed_since_stay(self):
        cup = factories.drawn(2)
        factories.play(cup)
        _, pk = reopen(cup, factories.match_number(cup, 1))
        tournaments.edit(Actor(cup.created_by), cup.pk, name="Renamed")
        reopening.undo(Actor(cup.created_by), pk)
        assert (factories.fresh(cup).name, factories.fresh(cup).status) == ("Renamed", Status.COMPLETED)

    def test_a_tournament_cancelled_since_stays_cancelled(self):
        cup = factories.drawn(2)
        factories.play(cup)
        _, pk = reopen(cup, factories.match_number(cup, 1))
        tournaments.cancel(Actor(cup.created_by), cup.pk)
        with pytest.raises(Conflict, match="was cancelled"):
            reopening.undo(Actor(cup.created_by), pk)

    def test_a_round_that_was_paired_again_since_cannot_come_back(self):
        cup = factories.drawn(4, format=Format.SWISS, stage={"rounds": 3})
        factories.play(cup, matches_at_most=4)
        last = cup.matches.filter(round=2).first()
        _, pk = reopen(cup, last)
        brackets.pair(Actor(cup.created_by), cup.pk, again=True)
        with pytest.raises(NotFound):
            reopening.undo(Actor(cup.created_by), pk)


def test_whatever_is_reopened_can_be_undone():
    @settings(max_examples=25)
    @given(seed=st.integers(0, 2**32))
    def walk(seed):
        rng = Random(seed)
        cup = factories.drawn(rng.randint(3, 10), format=rng.choice(list(Format)), capacity=16)
        factories.play(cup, lambda m: Score(*rng.choice([(1, 0), (0, 1)])), matches_at_most=rng.randint(1, 20))
        if rng.random() < 0.3:
            entry = rng.choice(list(cup.entries.all()))
            if factories.fresh(cup).status == Status.LIVE:
                entries.withdraw(Actor(cup.created_by), entry.pk)
        over = [m for m in cup.matches.filter(state__in=("completed", "forfeit")) if m.home_id and m.away_id]
        if not over:
            return
        before = without_versions(state(cup))
        score = rng.choice([None, Score(3, 2), Score(2, 3)])
        _, pk = reopen(cup, rng.choice(over), score)
        state(cup)
        reopening.undo(Actor(cup.created_by), pk)
        assert without_versions(state(cup)) == before

    walk()
