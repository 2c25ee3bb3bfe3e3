"""Teams: who may do what with one, its rosters, and a captain who is another one by now."""

import pytest
from django.contrib.auth.models import AnonymousUser

from apps.accounts.models import User
from apps.errors import AuthenticationRequired, BadRequest, Conflict, NotFound, PermissionDenied
from apps.eventlog import log
from apps.eventlog.models import Event
from apps.tournaments.models import Entry, EntryStatus, Rating, Team, TeamMember
from apps.tournaments.permissions import TEAM_ACTIONS, side_of
from apps.tournaments.selectors import lists
from apps.tournaments.services import Actor, admission, entries, matches, reports, rosters, teams, tournaments
from engine.match_flow import Score
from tests import factories
from tests.integration.tournaments.test_entries import by, full, head, organizer, statuses, the_log_is_the_state

pytestmark = pytest.mark.django_db


def names(entry):
    return [player["name"] for player in Entry.objects.get(pk=entry.pk).roster]


def types(cup):
    return [event.type for event in log.read(cup.stream, after=0, limit=1000)]


@pytest.fixture
def team():
    """A team of three: its captain cleo, and the members mia and max."""
    return factories.make_team("cleo", "mia", "max")


@pytest.fixture
def cup():
    return factories.open_registration(factories.make_tournament(participation="team", roster_min=2, roster_max=3))


def person(name):
    return User.objects.get(username=name)


def join(team, name):
    """Somebody who exists joins another team."""
    teams.invite(Actor(team.captain), team.pk, username=name)
    teams.accept(Actor(person(name)), team.pk)


class TestRights:
    """Role × action, literally."""

    EVERYBODY = ("guest", "outsider", "invited", "member", "captain", "admin")
    MAY = {
        "create_team": {"outsider", "invited", "member", "captain", "admin"},
        "report_team": {"outsider", "invited", "member", "captain", "admin"},
        "accept_invitation": {"invited"},
        "decline_invitation": {"invited"},
        "leave_team": {"member", "captain"},
        "edit_team": {"captain", "admin"},
        "invite_to_team": {"captain", "admin"},
        "remove_from_team": {"captain", "admin"},
        "hand_over_team": {"captain", "admin"},
        "disband_team": {"captain", "admin"},
    }
    TRY = {
        "create_team": lambda by, team: teams.create(by, name="Others"),
        "report_team": lambda by, team: reports.report_team(by, team.pk, reason="spam"),
        "accept_invitation": lambda by, team: teams.accept(by, team.pk),
        "decline_invitation": lambda by, team: teams.decline(by, team.pk),
        "leave_team": lambda by, team: teams.leave(by, team.pk),
        "edit_team": lambda by, team: teams.edit(by, team.pk, tag="X"),
        "invite_to_team": lambda by, team: teams.invite(by, team.pk, username=factories.make_user().username),
        "remove_from_team": lambda by, team: teams.remove(by, team.pk, person("max").pk),
        "hand_over_team": lambda by, team: teams.hand_over(by, team.pk, person("max").pk),
        "disband_team": lambda by, team: teams.disband(by, team.pk),
    }

    def test_every_action_is_tried_here(self):
        assert set(self.MAY) == set(self.TRY) == set(TEAM_ACTIONS)

    @pytest.mark.parametrize("role", EVERYBODY)
    @pytest.mark.parametrize("action", MAY)
    def test_a_role_may_do_what_the_table_says_and_nothing_else(self, action, role, team):
        people = {
            "guest": AnonymousUser(),
            "outsider": factories.make_user(),
            "invited": factories.make_user("ina"),
            "member": person("mia"),
            "captain": team.captain,
            "admin": factories.make_user(is_superuser=True),
        }
        teams.invite(Actor(team.captain), team.pk, username="ina")
        try:
            self.TRY[action](Actor(people[role]), team)
            outcome = "allowed"
        except AuthenticationRequired:
            outcome = "sign in"
        except PermissionDenied:
            outcome = "denied"
        except Conflict:
            outcome = "allowed"  # a captain cannot leave; the right was there
        expected = "sign in" if role == "guest" else "allowed" if role in self.MAY[action] else "denied"
        assert outcome == expected


class TestPeople:
    def test_invited_by_name_and_in_once_they_accept(self, team):
        ina = factories.make_user("Ina")
        teams.invite(Actor(team.captain), team.pk, username=" ina ")
        assert TeamMember.objects.get(user=ina).joined_at is None
        with pytest.raises(Conflict, match="Ina is invited already"):
            teams.invite(Actor(team.captain), team.pk, username="ina")
        teams.accept(Actor(ina), team.pk)
        with pytest.raises(Conflict, match="Ina is a member already"):
            teams.invite(Actor(team.captain), team.pk, username="ina")
        teams.leave(Actor(ina), team.pk)
        assert not TeamMember.objects.filter(user=ina).exists()

    def test_an_invitation_can_be_turned_down_or_taken_back(self, team):
        for answer in (lambda ina: teams.decline(Actor(ina), team.pk), self.take_back(team)):
            ina = factories.make_user()
            teams.invite(Actor(team.captain), team.pk, username=ina.username)
            answer(ina)
            assert team.members.count() == 3

    @staticmethod
    def take_back(team):
        return lambda ina: teams.remove(Actor(team.captain), team.pk, ina.pk)

    def test_names_that_nobody_has_and_people_who_are_not_in_it(self, team):
        with pytest.raises(NotFound, match="Nobody has this user name"):
            teams.invite(Actor(team.captain), team.pk, username="nobody-at-all")
        with pytest.raises(NotFound, match="This person is not in the team"):
            teams.remove(Actor(team.captain), team.pk, factories.make_user().pk)
        with pytest.raises(NotFound, match="There is no such team"):
            teams.leave(Actor(team.captain), 10**9)

    def test_a_team_is_no_crowd(self, team, monkeypatch):
        monkeypatch.setattr(teams, "MAX_PEOPLE", 3)
        with pytest.raises(Conflict, match="at most 3 people"):
            teams.invite(Actor(team.captain), team.pk, username=factories.make_user().username)

    def test_a_captain_stays_until_somebody_else_is(self, team):
        with pytest.raises(Conflict, match="A team needs its captain"):
            teams.leave(Actor(team.captain), team.pk)
        with pytest.raises(Conflict, match="A team needs its captain"):
            teams.remove(Actor(team.captain), team.pk, team.captain_id)
        with pytest.raises(Conflict, match="cleo is the captain already"):
            teams.hand_over(Actor(team.captain), team.pk, team.captain_id)
        with pytest.raises(Conflict, match="Only a member who has joined"):
            teams.hand_over(Actor(team.captain), team.pk, factories.make_user().pk)
        teams.hand_over(Actor(team.captain), team.pk, person("mia").pk)
        teams.leave(Actor(team.captain), team.pk)
        assert Team.objects.get(pk=team.pk).captain == person("mia")

    def test_a_name_belongs_to_one_team(self, team):
        with pytest.raises(Conflict, match="There is a team named"):
            teams.create(Actor(factories.make_user()), name=team.name.upper())
        other = factories.make_team()
        with pytest.raises(Conflict, match="Choose another name"):
            teams.edit(Actor(other.captain), other.pk, name=team.name)
        for bad, sentence in (({"name": " "}, "name is missing"), ({"tag": "x" * 9}, "at most 8")):
            with pytest.raises(BadRequest, match=sentence):
                teams.edit(Actor(other.captain), other.pk, **bad)


class TestRegistration:
    def test_a_captain_enters_the_team_with_a_roster(self, team, cup):
        done = entries.register(
            Actor(team.captain), cup.pk, team_id=team.pk, roster=[person("max").pk, person("mia").pk]
        )
        entry = Entry.objects.get(pk=done.ids["entry_id"])
        assert (entry.name, entry.team, entry.user, names(entry)) == (team.name, team, team.captain, ["mia", "max"])
        the_log_is_the_state(cup)

    def test_without_a_choice_all_members_play(self, team, cup):
        assert names(factories.enter_team(cup, team)) == ["cleo", "mia", "max"]

    def test_only_its_captain_registers_it(self, team, cup):
        with pytest.raises(PermissionDenied, match="Only the captain of a team can register it"):
            entries.register(Actor(person("mia")), cup.pk, team_id=team.pk)

    def test_teams_and_single_players_keep_to_their_own(self, team, cup):
        for team_id in (None, 10**9):
            with pytest.raises(BadRequest, match="Teams take part in this tournament"):
                entries.register(Actor(team.captain), cup.pk, team_id=team_id)
        solo = factories.open_with_entries(0)
        with pytest.raises(BadRequest, match="Single players take part in this tournament"):
            entries.register(Actor(team.captain), solo.pk, team_id=team.pk)

    @pytest.mark.parametrize(
        ("roster", "sentence"),
        [
            (["mia"], "A team has 2 to 3 players in this tournament, and this roster 1"),
            (["cleo", "mia", "max", "ned"], "2 to 3 players in this tournament, and this roster 4"),
            (["mia", "mia"], "A roster names members of .*, each once"),
            (["mia", "stranger"], "A roster names members of .*, each once"),
            (["mia", "invited"], "A roster names members of .*, each once"),
        ],
    )
    def test_a_roster_is_of_members_and_of_the_right_size(self, team, cup, roster, sentence):
        for name in ("stranger", "invited", "ned"):
            factories.make_user(name)
        teams.invite(Actor(team.captain), team.pk, username="invited")
        join(team, "ned")
        ids = [person(name).pk for name in roster]
        with pytest.raises(BadRequest, match=sentence):
            entries.register(Actor(team.captain), cup.pk, team_id=team.pk, roster=ids)
        assert statuses(cup) == []

    def test_nobody_takes_part_with_two_teams(self, team, cup):
        factories.enter_team(cup, team)
        other = factories.make_team("otto", "olga")
        join(other, "mia")
        with pytest.raises(Conflict, match=f"mia takes part with {team.name} already"):
            entries.register(
                Actor(other.captain), cup.pk, team_id=other.pk, roster=[other.captain_id, person("mia").pk]
            )
        assert factories.enter_team(cup, other, "otto", "olga").status == "confirmed"

    def test_a_team_registers_once_whoever_leads_it(self, team, cup):
        factories.enter_team(cup, team)
        with pytest.raises(Conflict, match="registered already"):
            factories.enter_team(cup, team)
        teams.hand_over(Actor(team.captain), team.pk, person("mia").pk)
        with pytest.raises(Conflict, match="registered already"):
            entries.register(Actor(person("mia")), cup.pk, team_id=team.pk)

    def test_the_rating_asked_for_is_the_teams(self, team):
        cup = factories.open_registration(factories.make_tournament(participation="team", game="Go", rating_min=20))
        Rating.objects.create(game="Go", user=team.captain, mu=30, sigma=1, matches=9)
        with pytest.raises(Conflict, match="you have none yet"):
            factories.enter_team(cup, team)
        Rating.objects.create(game="Go", team=team, mu=21, sigma=1, matches=9)
        assert factories.enter_team(cup, team).status == "confirmed"

    def test_it_stays_as_it_is_who_takes_part_once_there_are_entrants(self, team, cup):
        factories.enter_team(cup, team)
        with pytest.raises(Conflict, match="whether teams or single players take part"):
            tournaments.edit(organizer(cup), cup.pk, participation="solo")

    def test_whose_players_went_elsewhere_is_not_let_in_again(self, team, cup):
        tournaments.edit(organizer(cup), cup.pk, entry_rule="approval")
        entry = factories.enter_team(cup, team, "mia", "max")
        admission.decline(organizer(cup), entry.pk)
        other = factories.make_team("otto")
        join(other, "max")
        factories.enter_team(cup, other)
        with pytest.raises(Conflict, match=f"a player takes part as {other.name} by now"):
            admission.approve(organizer(cup), entry.pk)


class TestRosters:
    def test_changes_until_the_draw(self, team, cup):
        entry = factories.enter_team(cup, team, "mia", "max")
        rosters.update(Actor(team.captain), entry.pk, players=[team.captain_id, person("max").pk])
        assert names(entry) == ["cleo", "max"]
        assert types(cup)[-1] == "registration_updated"
        factories.enter_team(cup, factories.make_team("otto", "olga"))
        factories.draw(cup)
        with pytest.raises(Conflict, match="The bracket has been drawn, so the roster stays as it is"):
            rosters.update(Actor(team.captain), entry.pk, players=[team.captain_id, person("mia").pk])
        the_log_is_the_state(cup)

    def test_is_the_teams_own_business_and_the_organisers(self, team, cup):
        entry = factories.enter_team(cup, team)
        players = [person("mia").pk, person("max").pk]
        with pytest.raises(PermissionDenied):
            rosters.update(Actor(person("mia")), entry.pk, players=players)
        rosters.update(organizer(cup), entry.pk, players=players)
        entries.withdraw(by(entry), entry.pk)
        with pytest.raises(Conflict, match="is not a team that takes part"):
            rosters.update(organizer(cup), entry.pk, players=players)

    def test_a_single_player_has_none(self):
        _, (entry, _) = full(2)
        with pytest.raises(Conflict, match="is not a team that takes part"):
            rosters.update(by(entry), entry.pk, players=[entry.user_id])

    def test_loses_who_leaves_the_team_before_the_draw_but_never_too_many(self, team, cup):
        entry = factories.enter_team(cup, team)
        teams.leave(Actor(person("mia")), team.pk)
        assert names(entry) == ["cleo", "max"]
        the_log_is_the_state(cup)
        before = head(cup)
        with pytest.raises(Conflict, match=f"max is one of the 2 players for {cup.name}, which needs 2"):
            teams.remove(Actor(team.captain), team.pk, person("max").pk)
        assert head(cup) == before
        assert names(entry) == ["cleo", "max"]

    def test_stays_as_it_was_drawn_when_somebody_leaves_later(self, team, cup):
        entry = factories.enter_team(cup, team, "mia", "max")
        factories.enter_team(cup, factories.make_team("otto", "olga"))
        factories.draw(cup)
        teams.leave(Actor(person("mia")), team.pk)
        assert names(entry) == ["mia", "max"]


class TestCaptains:
    @pytest.fixture
    def drawn(self, team, cup):
        entry = factories.enter_team(cup, team)
        other = factories.enter_team(cup, factories.make_team("otto", "olga"))
        return entry, other, factories.draw(cup)

    def test_act_for_their_team_and_nobody_else_does(self, team, drawn):
        entry, other, cup = drawn
        match = factories.match_number(cup, 1)
        with pytest.raises(PermissionDenied):
            matches.report(Actor(person("mia")), match.pk, Score(1, 0))
        matches.report(Actor(team.captain), match.pk, Score(1, 0))
        matches.confirm(Actor(other.user), match.pk)
        assert factories.fresh(cup).champion_id == match.home_id
        assert match.home_id == entry.pk

    def test_whoever_takes_over_acts_also_during_play(self, team, drawn):
        entry, _, cup = drawn
        old, new = team.captain, person("mia")
        teams.hand_over(Actor(old), team.pk, new.pk)
        match = factories.match_number(cup, 1)
        assert side_of(old, match) is None
        with pytest.raises(PermissionDenied):
            matches.report(Actor(old), match.pk, Score(1, 0))
        matches.report(Actor(new), match.pk, Score(1, 0))
        assert Entry.objects.get(pk=entry.pk).user == new
        assert types(cup)[-3:] == ["registration_updated", "tournament_started", "result_reported"]
        actors = Event.objects.filter(stream__name=cup.stream).order_by("seq").values_list("actor", flat=True)
        assert list(actors)[-3:] == [f"user:{old.pk}", f"user:{new.pk}", f"user:{new.pk}"]
        the_log_is_the_state(cup)

    def test_of_a_tournament_that_is_over_stay_who_they_were(self, team, drawn):
        entry, _, cup = drawn
        factories.play(cup)
        teams.hand_over(Actor(team.captain), team.pk, person("mia").pk)
        assert Entry.objects.get(pk=entry.pk).user == team.captain

    def test_nobody_takes_over_who_plays_against_the_team(self, team, cup):
        factories.enter_team(cup, team, "cleo", "max")
        other = factories.make_team("otto", "olga")
        join(team, "olga")
        factories.enter_team(cup, other)
        with pytest.raises(Conflict, match=f"olga takes part with {other.name} in {cup.name}"):
            teams.hand_over(Actor(team.captain), team.pk, person("olga").pk)
        assert Team.objects.get(pk=team.pk).captain == team.captain

    def test_players_see_their_matches_and_entries(self, team, drawn):
        entry, _, cup = drawn
        for player in (team.captain, person("mia"), person("max")):
            assert [match.tournament for match in lists.my_open_matches(player)] == [cup]
            assert [row.pk for row in lists.my_entries(player)] == [entry.pk]
        assert not lists.my_open_matches(factories.make_user())


class TestDisbanding:
    def test_waits_until_the_team_plays_nowhere(self, team, cup):
        entry = factories.enter_team(cup, team)
        with pytest.raises(Conflict, match=f"takes part in {cup.name}. Withdraw it there first"):
            teams.disband(Actor(team.captain), team.pk)
        entries.withdraw(by(entry), entry.pk)
        teams.disband(Actor(team.captain), team.pk)
        assert not team.members.exists()
        with pytest.raises(NotFound):
            teams.edit(Actor(team.captain), team.pk, tag="X")

    def test_what_it_played_stays_and_its_name_is_free(self, team, cup):
        entry = factories.enter_team(cup, team)
        factories.enter_team(cup, factories.make_team("otto", "olga"))
        factories.play(factories.draw(cup))
        teams.disband(Actor(team.captain), team.pk)
        assert Entry.objects.get(pk=entry.pk).team == team
        teams.create(Actor(factories.make_user()), name=team.name)
        with pytest.raises(BadRequest, match="Teams take part"):
            entries.register(
                Actor(team.captain),
                factories.open_registration(factories.make_tournament(participation="team")).pk,
                team_id=team.pk,
            )
        assert Entry.objects.get(pk=entry.pk).status == EntryStatus.CONFIRMED
