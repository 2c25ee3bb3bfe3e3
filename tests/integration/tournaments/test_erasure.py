"""A person who deletes their account: nothing tells who they were, and what they played adds up as before."""

import copy

import msgspec
import pytest
from django.apps import apps
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from apps.accounts.models import ApiToken, User
from apps.errors import Conflict
from apps.eventlog import log
from apps.eventlog.log import PUBLIC, STAFF
from apps.eventlog.models import Event
from apps.tournaments.models import Entry, EntryStatus, Match, Member, Report, Role, Team
from apps.tournaments.selectors.history import tournament_snapshot_at
from apps.tournaments.selectors.leaving import leaving, named_in
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import Actor, erasure, teams, tournaments
from engine.match_flow import MatchState
from engine.projection import fold
from tests import factories
from tests.lives import TRACES, entry_of, whole_life

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]


@pytest.fixture
def life():
    return whole_life()


@pytest.fixture
def erase(django_capture_on_commit_callbacks):
    def erase(user):
        with django_capture_on_commit_callbacks(execute=True):
            erasure.erase(user)

    return erase


def everything() -> str:
    """Return all that is in the database, as text."""
    rows = (str(row) for model in apps.get_models(include_auto_created=True) for row in model.objects.values())
    return "\n".join(rows)


def state(cup, audience=PUBLIC):
    return copy.deepcopy(tournament_snapshot(cup.pk, audience=audience))


def folded(cup, audience, after=0, start=None):
    events = log.read(cup.stream, after=after, limit=10_000, audiences={PUBLIC, audience})
    return fold((msgspec.json.decode(event.data) for event in events), *([] if start is None else [start]))


class TestWhatGoes:
    def test_nothing_in_the_database_and_no_file_tells_who_it_was(self, life, erase):
        before = everything()
        assert [trace for trace in TRACES if trace not in before] == [], "the test would prove nothing"
        assert default_storage.exists(life.image.path)
        erase(life.user)
        after = everything()
        assert [trace for trace in TRACES if trace in after] == []
        assert not default_storage.exists(life.image.path)
        assert not User.objects.filter(username="zoe-quist").exists()

    def test_tokens_webhooks_and_open_connections_end(self, life, erase):
        user_id = life.user.pk
        erase(life.user)
        assert not ApiToken.objects.exists()
        assert not life.shared.endpoints.exists()
        told = Event.objects.filter(stream__name="accounts", type="access_ended").last()
        assert msgspec.json.decode(told.data) == {"user": user_id}

    def test_others_are_as_they_were(self, life, erase):
        others = [
            factories.enter(factories.open_with_entries(0), factories.make_user("zoe-quist2")),
            *life.on.entries.all(),
        ]
        erase(life.user)
        assert Entry.objects.get(pk=others[0].pk).name == "zoe-quist2"
        assert life.on.entries.get(user=life.friend).name == "friend"
        assert (
            Report.objects.get(reporter=None).shown
            == life.over.entries.get(pk=Report.objects.get(reporter=None).entry_id).name
        )


class TestTheLogIsTheState:
    def test_at_every_moment_of_the_past_and_from_every_copy_of_it(self, life, erase):
        copies = {(cup.pk, audience): state(cup, audience) for cup in life.tournaments for audience in (PUBLIC, STAFF)}
        erase(life.user)
        for cup in life.tournaments:
            for audience in (PUBLIC, STAFF):
                now, then = state(cup, audience), copies[cup.pk, audience]
                assert folded(cup, audience) == now.data
                assert folded(cup, audience, after=then.position.seq, start=then.data) == now.data
                assert now.position.epoch == then.position.epoch, "whoever follows goes on from where they are"

    def test_the_past_has_the_other_name_too(self, life, erase):
        entry = entry_of(life.over, life.user)
        entered = Event.objects.get(stream__name=life.over.stream, type="registration_created", data__contains="Zoë")
        erase(life.user)
        then = tournament_snapshot_at(life.over.pk, entered.seq, audience=PUBLIC)
        assert then.data["entries"][str(entry.pk)]["name"] == f"Former entrant {entry.pk}"

    def test_results_stay(self, life, erase):
        entry = entry_of(life.over, life.user)
        results = list(life.over.matches.values("home", "away", "winner", "home_score", "away_score"))
        erase(life.user)
        assert list(life.over.matches.values("home", "away", "winner", "home_score", "away_score")) == results
        assert factories.fresh(life.over).champion.name == f"Former entrant {entry.pk}"

    def test_rooms_of_single_matches_hear_the_name(self, life, erase):
        entry = entry_of(life.over, life.user)
        seq = log.positions([life.over.stream])[life.over.stream].seq
        erase(life.user)
        told = [e for e in log.read(life.over.stream, after=seq, limit=100) if e.type == "match_entrant_renamed"]
        played = Match.objects.filter(tournament=life.over).filter(home=entry) | life.over.matches.filter(away=entry)
        assert sorted(e.subject for e in told) == sorted(match.subject for match in played)


class TestWhatTheyTookPartIn:
    def test_an_entry_that_plays_is_withdrawn_and_the_opponent_walks_over(self, life, erase):
        entry = entry_of(life.on, life.user)
        erase(life.user)
        entry.refresh_from_db()
        assert (entry.status, entry.user) == (EntryStatus.WITHDRAWN, None)
        match = life.on.matches.get(number=1)
        assert (match.state, match.winner.name) == (MatchState.FORFEIT, "friend")
        assert match.disputes.get().text == ""

    def test_a_team_goes_to_the_member_who_has_been_in_longest_also_where_it_plays(self, life, erase):
        erase(life.user)
        life.led_team.refresh_from_db()
        assert life.led_team.captain.username == "captain1"
        entry = life.team_cup.entries.get(team=life.led_team)
        assert (entry.user.username, entry.status) == ("captain1", EntryStatus.CONFIRMED)
        assert [player["name"] for player in entry.roster] == ["captain1", "Deleted person", "mate1"]

    def test_a_roster_that_can_change_loses_the_player(self, life, erase):
        erase(life.user)
        entry = life.open_team_cup.entries.get(team=life.other_team)
        assert [player["name"] for player in entry.roster] == ["captain2"]

    def test_a_team_of_one_ends_and_its_name_is_free(self, erase):
        cup = factories.open_registration(factories.make_tournament(participation="team"))
        team = factories.make_team(name="Solo")
        entry = factories.enter_team(cup, team)
        erase(team.captain)
        entry.refresh_from_db()
        assert entry.status == EntryStatus.WITHDRAWN
        assert Team.objects.get(pk=team.pk).disbanded_at
        teams.create(Actor(factories.make_user()), name="Solo")

    def test_an_heir_who_plays_for_somebody_else_leaves_the_team_to_the_staff(self, erase):
        cup = factories.open_registration(factories.make_tournament(participation="team"))
        team, rival = factories.make_team("boss", "heir"), factories.make_team("rival")
        teams.invite(Actor(rival.captain), rival.pk, username="heir")
        heir = User.objects.get(username="heir")
        teams.accept(Actor(heir), rival.pk)
        entry = factories.enter_team(cup, team, "boss")
        factories.enter_team(cup, rival, "rival", "heir")
        erase(team.captain)
        entry.refresh_from_db()
        team.refresh_from_db()
        assert (team.captain, entry.user, entry.status) == (heir, None, EntryStatus.CONFIRMED)

    def test_a_place_that_comes_free_goes_to_the_waitlist(self, erase):
        cup = factories.open_with_entries(2, capacity=2)
        waiting = factories.enter(cup, factories.make_user())
        erase(cup.entries.first().user)
        waiting.refresh_from_db()
        assert waiting.status == EntryStatus.CONFIRMED

    def test_somebody_else_may_have_the_name_already(self, erase):
        cup = factories.open_with_entries(1)
        entry = cup.entries.get()
        factories.enter(cup, factories.make_user(), f"Former entrant {entry.pk}")
        erase(entry.user)
        entry.refresh_from_db()
        assert entry.name == f"Former entrant {entry.pk}."


class TestWhoCannotGo:
    def test_the_only_organiser_hands_over_first(self, life, erase):
        tournaments.remove_member(Actor(life.user), life.shared.pk, life.friend.pk)
        seq = log.positions([life.shared.stream])[life.shared.stream].seq
        before = everything()
        with pytest.raises(Conflict, match=f"You are the only organiser of {life.shared.name}. Make somebody else"):
            erase(life.user)
        assert everything() == before
        assert log.positions([life.shared.stream])[life.shared.stream].seq == seq
        tournaments.cancel(Actor(life.user), life.shared.pk)
        erase(life.user)
        assert factories.fresh(life.shared).created_by is None

    def test_an_organiser_who_is_blocked_does_not_count(self):
        cup = factories.make_tournament()
        friend = factories.make_user(is_active=False)
        Member.objects.create(tournament=cup, user=friend, role=Role.ORGANIZER)
        assert leaving(cup.created_by).led_alone == [cup]

    def test_the_only_administrator_hands_over_first(self, erase):
        root = factories.make_user(is_superuser=True)
        with pytest.raises(Conflict, match="You are the only administrator"):
            erase(root)
        factories.make_user(is_superuser=True)
        erase(root)


class TestTheCommand:
    def test_asks_for_the_name_and_says_what_happens(self, life, monkeypatch, capsys):
        answers = iter(["zoe", "zoe-quist"])
        monkeypatch.setattr("builtins.input", lambda _: next(answers))
        with pytest.raises(CommandError, match="Nothing was done"):
            call_command("erase_account", "ZOE-QUIST")
        call_command("erase_account", "zoe-quist")
        assert "Blues goes to captain1." in capsys.readouterr().out
        assert not User.objects.filter(username="zoe-quist").exists()

    def test_refuses_who_leads_alone_and_who_is_nobody(self, life):
        tournaments.remove_member(Actor(life.user), life.shared.pk, life.friend.pk)
        with pytest.raises(CommandError, match="is the only organiser of"):
            call_command("erase_account", "zoe-quist", "--yes")
        with pytest.raises(CommandError, match="Nobody has the user name nemo"):
            call_command("erase_account", "nemo")


@pytest.mark.parametrize("name", ["match", "tournament", "name", "home"])
def test_whoever_is_called_like_a_part_of_an_event_is_in_none_for_that(name):
    cup = factories.drawn(2)
    user = factories.make_user(name)
    assert named_in(user) == set()
    tournaments.add_member(Actor(cup.created_by), cup.pk, username=name, role=Role.REFEREE)
    tournaments.remove_member(Actor(cup.created_by), cup.pk, user.pk)
    assert named_in(user) == {cup.pk}


def test_who_is_named_elsewhere_meanwhile_is_looked_for_again(monkeypatch, erase):
    cup = factories.open_with_entries(1)
    user = cup.entries.get().user
    looked = []

    def late(user, *, after=0):
        looked.append(after)
        return set() if len(looked) == 1 else {cup.pk}

    monkeypatch.setattr(erasure, "named_in", late)
    erase(user)
    assert len(looked) == 4
    assert cup.entries.get().name.startswith("Former entrant")
