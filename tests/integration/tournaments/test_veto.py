"""Pick and ban before a match: whose turn it is, what time does, and what stands after a reopening."""

from datetime import timedelta
from hashlib import sha256

import msgspec
import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from apps.errors import BadRequest, Conflict, PermissionDenied
from apps.eventlog import log
from apps.eventlog.log import PUBLIC
from apps.tournaments.models import Match, Tournament
from apps.tournaments.selectors.snapshots import match_snapshot, tournament_snapshot
from apps.tournaments.services import Actor, entries, matches, reopening, stages, tournaments, unit, veto
from engine.bracket import Side
from engine.match_flow import Score
from engine.projection import fold
from tests import factories

pytestmark = pytest.mark.django_db

MAPS = ["Ascent", "Bind", "Haven"]
SECONDS = 30


def with_veto(entrants=2, *, best_of=1, **settings):
    """A drawn tournament whose matches have a veto; by seed unless said otherwise, so that home, seed 1, goes first."""
    settings.setdefault("scripts", {"1": "seed; 1 ban, 2 ban, decider, 2 side"})
    chosen = {"pool": MAPS, **settings}
    return factories.drawn(entrants, stage={"best_of": best_of, "veto": chosen})


def begun(**settings):
    match = factories.match_number(with_veto(**settings), 1)
    veto.start(by(match, Side.HOME), match.pk)
    return fresh(match)


def fresh(match):
    return Match.objects.select_related("home__user", "away__user", "tournament__created_by").get(pk=match.pk)


def by(match, side):
    return Actor(match.home.user if side is Side.HOME else match.away.user)


def staff(match):
    return Actor(match.tournament.created_by)


def choose(match, *options):
    """Let whoever's turn it is choose."""
    for option in options:
        veto.move(by(match, Side(fresh(match).veto["turn"]["side"])), match.pk, option)
    return fresh(match)


def events(match):
    return log.read(match.tournament.stream, after=0, limit=1000)


def the_log_is_the_state(match):
    public = log.read(match.tournament.stream, after=0, limit=1000, audiences=[PUBLIC])
    snapshot = tournament_snapshot(match.tournament_id, audience=PUBLIC).data
    assert fold(msgspec.json.decode(event.data) for event in public) == snapshot
    assert match_snapshot(match.pk).data["matches"][str(match.pk)] == snapshot["matches"][str(match.pk)]


def sweep(match, at):
    """What the clock does at `at`, in a transaction of its own."""
    with transaction.atomic():
        work = unit.Unit("veto_step_expires", Actor(AnonymousUser(), is_clock=True), at)
        work.adopt(Tournament.objects.select_for_update(no_key=True).get(pk=match.tournament_id))
        done = veto.expire(work, match.pk)
        work.finish({}, fingerprint="")
    return done


class TestTurns:
    def test_two_captains_settle_the_map_and_everybody_can_follow(self):
        match = choose(begun(), "Bind", "Ascent", "Attack")
        assert match.veto["games"] == [
            {"option": "Haven", "picked_by": None, "home_side": "Defence", "away_side": "Attack"}
        ]
        assert match.veto["turn"] is None
        kinds = [event.type for event in events(match) if event.type.startswith("veto_")]
        assert kinds == ["veto_started", "veto_moved", "veto_moved", "veto_completed"]
        the_log_is_the_state(match)

    def test_only_whose_turn_it_is_may_choose(self):
        match = begun()
        with pytest.raises(Conflict, match="It is your opponent's turn") as refusal:
            veto.move(by(match, Side.AWAY), match.pk, "Bind")
        assert refusal.value.data["turn"] == "home"

    def test_a_referee_chooses_for_either_side(self):
        match = begun()
        for option in ("Bind", "Haven", "Defence"):
            veto.move(staff(match), match.pk, option)
        assert [made["side"] for made in fresh(match).veto["moves"]] == ["home", "away", None, "away"]

    def test_whoever_plays_is_not_referee_of_the_other_side(self):
        match = begun()
        name = match.away.user.username
        tournaments.add_member(staff(match), match.tournament_id, username=name, role=2)
        with pytest.raises(Conflict, match="opponent's turn"):
            veto.move(by(match, Side.AWAY), match.pk, "Bind")

    def test_what_is_gone_cannot_be_chosen_again(self):
        match = choose(begun(), "Bind")
        with pytest.raises(Conflict, match=r"Possible: Ascent, Haven\.") as refusal:
            choose(match, "Bind")
        assert refusal.value.data["possible"] == ["Ascent", "Haven"]
        assert len(fresh(match).veto["moves"]) == 1

    def test_a_choice_made_for_an_older_version_is_refused(self):
        match = begun(scripts={"1": "seed; 1 ban, 1 ban, decider"})
        veto.move(by(match, Side.HOME), match.pk, "Bind", expected_version=match.version)
        with pytest.raises(Conflict, match="has changed since"):
            veto.move(by(match, Side.HOME), match.pk, "Haven", expected_version=match.version)

    def test_a_choice_that_is_sent_twice_counts_once(self):
        match = begun(scripts={"1": "seed; 1 ban, 1 ban, decider"})
        actor = Actor(match.home.user, command_id="tap")
        first, second = (veto.move(actor, match.pk, "Bind") for _ in range(2))
        assert first == second
        assert len(fresh(match).veto["moves"]) == 1

    def test_the_coin_is_called_by_the_away_side(self):
        match = begun(scripts={"1": "1 ban, 2 ban, decider"})
        assert match.veto["turn"] == {"act": "toss", "side": "away", "options": ["heads", "tails"]}
        match = choose(match, "heads")
        assert match.veto["first"] == ("away" if match.veto["coin"] == "heads" else "home")
        assert match.veto["turn"]["side"] == match.veto["first"]

    @pytest.mark.parametrize("home_is_better", [True, False])
    def test_by_seed_the_better_seed_goes_first(self, home_is_better):
        match = factories.match_number(with_veto(), 1)
        match.stage.entries.filter(entry=match.home_id).update(seed=1 if home_is_better else 9)
        veto.start(staff(match), match.pk)
        assert fresh(match).veto["first"] == ("home" if home_is_better else "away")

    def test_without_a_script_of_its_own_a_match_has_the_preset_of_its_length(self):
        match = begun(best_of=3, scripts={})
        assert match.veto["script"] == "1 pick, 2 pick, decider"


class TestWhenItTakesPlace:
    def test_without_a_pool_there_is_none(self):
        match = factories.match_number(factories.drawn(2), 1)
        with pytest.raises(Conflict, match="An organiser can give it a pool"):
            veto.start(staff(match), match.pk)

    def test_the_pool_has_to_be_large_enough(self):
        match = factories.match_number(with_veto(best_of=5, scripts={}), 1)
        with pytest.raises(BadRequest, match="A best of 5 needs a pool of 5 at least"):
            veto.start(staff(match), match.pk)

    def test_it_begins_once(self):
        match = begun()
        with pytest.raises(Conflict, match="has begun"):
            veto.start(by(match, Side.AWAY), match.pk)

    def test_not_before_both_are_here_and_not_after_the_result(self):
        cup = with_veto(4)
        final = factories.match_number(cup, 4)
        with pytest.raises(Conflict, match="once both entrants are here"):
            veto.start(Actor(cup.created_by), final.pk)
        match = factories.match_number(cup, 1)
        veto.start(Actor(cup.created_by), match.pk)
        factories.play(cup, matches_at_most=1)
        with pytest.raises(Conflict, match="before the match has a result"):
            veto.move(Actor(cup.created_by), match.pk, "Bind")

    def test_nothing_moves_in_a_cancelled_tournament(self):
        match = begun(seconds=SECONDS)
        tournaments.cancel(staff(match), match.tournament_id)
        with pytest.raises(Conflict, match="cancelled"):
            choose(match, "Bind")
        assert not sweep(match, match.veto_deadline_at)

    def test_settings_of_a_drawn_stage_can_still_change_but_not_those_of_a_veto_that_has_begun(self):
        match = begun()
        stages.edit(staff(match), match.stage_id, veto={"pool": ["Lotus", "Pearl"], "scripts": {}})
        match = choose(match, "Bind", "Ascent", "Attack")
        veto.reset(staff(match), match.pk)
        veto.start(staff(match), match.pk)
        assert fresh(match).veto["pool"] == ["Lotus", "Pearl"]

    def test_settings_are_cleaned_and_checked(self):
        cup = with_veto()
        stage = cup.stages.get()
        chosen = {"pool": ["  Old   Town ", "Ha\u0301fen"], "scripts": {"1": " 1 BAN,decider "}}
        stages.edit(Actor(cup.created_by), stage.pk, veto=chosen)
        stage.refresh_from_db()
        assert stage.options.veto.pool == ["Old Town", "H\u00e1fen"]
        for wrong in ({"pool": ["a\u202eb", "c"]}, {"pool": MAPS, "scripts": {"1": "1 ban, decider"}}):
            with pytest.raises(BadRequest):
                stages.edit(Actor(cup.created_by), stage.pk, veto=wrong)


class TestChance:
    def test_the_seed_is_a_secret_until_the_end_and_its_hash_is_known_from_the_start(self):
        match = begun(scripts={"1": "1 ban, 2 ban, decider"})
        match = choose(match, "tails", *MAPS[:2])
        said = [msgspec.json.decode(event.data)["match"] for event in events(match) if event.type.startswith("veto_")]
        *before, last = (event["veto"] for event in said)
        assert match.veto_seed
        assert all(match.veto_seed not in str(one) for one in before)
        assert last["seed"] == match.veto_seed
        assert before[0]["seed_hash"] == sha256(last["seed"].encode()).hexdigest()

    def test_each_veto_has_another_seed(self):
        match = begun()
        first = match.veto_seed
        veto.reset(staff(match), match.pk)
        veto.start(staff(match), match.pk)
        assert fresh(match).veto_seed != first


class TestTime:
    @pytest.fixture(autouse=True)
    def clock(self, monkeypatch):
        self.now = unit.present()
        monkeypatch.setattr(unit, "present", lambda: self.now)

    def test_each_step_has_its_time(self):
        match = begun(seconds=SECONDS)
        assert match.veto_deadline_at == self.now + timedelta(seconds=SECONDS)
        self.now += timedelta(seconds=20)
        match = choose(match, "Bind")
        assert match.veto_deadline_at == self.now + timedelta(seconds=SECONDS)
        match = choose(match, "Haven", "Attack")
        assert match.veto_deadline_at is None
        assert not veto.expiring().exists()

    def test_when_time_is_up_chance_chooses_for_that_side(self):
        match = begun(seconds=SECONDS)
        assert not sweep(match, match.veto_deadline_at - timedelta(milliseconds=1))
        assert sweep(match, match.veto_deadline_at)
        after = fresh(match)
        (made,) = after.veto["moves"]
        assert (made["act"], made["side"], made["drawn"]) == ("ban", "home", True)
        draw = int(sha256(f"{match.veto_seed}:0".encode()).hexdigest(), 16)
        assert made["option"] == MAPS[draw % 3]
        assert after.veto_deadline_at == match.veto_deadline_at + timedelta(seconds=SECONDS)
        assert events(match)[-1].actor == "clock"
        the_log_is_the_state(match)

    def test_chance_alone_leads_a_veto_to_its_end(self):
        match = begun(seconds=SECONDS, scripts={"1": "1 ban, 2 ban, decider, 1 side"})
        at = match.veto_deadline_at
        assert [sweep(match, at + timedelta(seconds=SECONDS * step)) for step in range(5)] == [True] * 4 + [False]
        match = fresh(match)
        assert match.veto["turn"] is None
        assert match.veto_deadline_at is None
        the_log_is_the_state(match)

    def test_after_a_pause_only_one_step_is_taken_and_the_next_has_its_full_time(self):
        match = begun(seconds=SECONDS)
        late = match.veto_deadline_at + timedelta(hours=1)
        assert [sweep(match, late), sweep(match, late)] == [True, False]
        assert fresh(match).veto_deadline_at == late + timedelta(seconds=SECONDS)

    def test_a_choice_that_comes_before_chance_has_chosen_counts(self):
        match = begun(seconds=SECONDS)
        due, self.now = match.veto_deadline_at, match.veto_deadline_at + timedelta(seconds=1)
        match = choose(match, "Haven")
        assert not sweep(match, due + timedelta(seconds=1))
        assert [made["option"] for made in match.veto["moves"]] == ["Haven"]

    def test_nobodys_time_runs_without_a_limit_or_in_a_match_that_has_a_result(self):
        assert begun().veto_deadline_at is None
        match = begun(seconds=SECONDS)
        factories.play(factories.fresh(match.tournament))
        assert not sweep(match, match.veto_deadline_at)
        token = reopening.preview(staff(match), match.pk).token
        reopening.reopen(staff(match), match.pk, token=token)
        assert not sweep(match, match.veto_deadline_at), "a match that is open again surprises nobody"
        assert choose(match, "Bind").veto_deadline_at == self.now + timedelta(seconds=SECONDS)


class TestReset:
    def test_a_referee_takes_it_back_and_it_begins_anew(self):
        match = choose(begun(seconds=SECONDS), "Bind")
        with pytest.raises(PermissionDenied):
            veto.reset(by(match, Side.HOME), match.pk)
        veto.reset(staff(match), match.pk)
        match = fresh(match)
        assert (match.veto, match.veto_seed, match.veto_deadline_at) == (None, "", None)
        the_log_is_the_state(match)
        with pytest.raises(Conflict, match="has not begun"):
            veto.reset(staff(match), match.pk)
        veto.start(by(match, Side.AWAY), match.pk)
        assert fresh(match).veto["moves"] == []


class TestReopening:
    def reopen(self, match, score=None):
        token = reopening.preview(staff(match), match.pk, score=score).token
        return reopening.reopen(staff(match), match.pk, token=token, score=score).ids["reopening_id"]

    def final(self):
        """A final with a veto, and the first semi-final that leads to it."""
        cup = with_veto(4)
        factories.play(cup, matches_at_most=2)
        final = factories.match_number(cup, 4)
        veto.start(Actor(cup.created_by), final.pk)
        veto.move(Actor(cup.created_by), final.pk, "Bind")
        return fresh(final), fresh(factories.match_number(cup, 1))

    def test_a_match_that_is_played_again_keeps_its_maps(self):
        match = choose(begun(), "Bind", "Ascent", "Attack")
        settled = match.veto
        factories.play(factories.fresh(match.tournament))
        self.reopen(match)
        assert fresh(match).veto == settled
        the_log_is_the_state(match)

    def test_when_the_same_two_meet_again_the_veto_stands(self):
        final, semi = self.final()
        self.reopen(semi)
        assert fresh(final).state == "scheduled"
        matches.start(staff(semi), semi.pk)
        matches.finish(staff(semi), semi.pk, Score(5, 4))
        assert (fresh(final).state, fresh(final).veto) == ("ready", final.veto)
        the_log_is_the_state(final)

    def test_when_another_entrant_comes_it_is_gone(self):
        final, semi = self.final()
        reopening_id = self.reopen(semi, Score(0, 1))
        assert (fresh(final).state, fresh(final).veto, fresh(final).veto_seed) == ("ready", None, "")
        the_log_is_the_state(final)
        reopening.undo(staff(semi), reopening_id)
        assert (fresh(final).veto, fresh(final).veto_seed) == (final.veto, final.veto_seed)
        the_log_is_the_state(final)

    def test_it_does_not_outlive_the_place_of_an_entrant_who_left(self):
        final, _ = self.final()
        entries.withdraw(staff(final), final.home_id)
        assert fresh(final).state == "forfeit"
        with pytest.raises(Conflict, match="before the match has a result"):
            veto.move(staff(final), final.pk, "Ascent")
