"""Somebody of whom the site holds something in every table that it has for people."""

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from apps.accounts import api_tokens
from apps.accounts.models import User
from apps.integrations import calendars
from apps.integrations import services as integrations
from apps.tournaments.models import Entry, Evidence, Match, Role, Team, Tournament
from apps.tournaments.services import Actor, bans, entries, matches, reports, tournaments
from engine.match_flow import MatchState, Score
from tests import factories

NAME = "zoe-quist"
# What would tell who it was, wherever it stands.
TRACES = (
    NAME,
    "zoe@private.test",
    "Zoraida",
    "Zoe the Great",
    "Zoë Quist",
    "203.0.113.99",
    "ZoeBrowser",
    "zoe bot",
    "hook.zoe.test",
    "that was no goal",
    "a rude name",
)


@dataclass
class Life:
    """`over` is completed, `on` goes on; `led` and `shared` are hers to organise, the second with `friend`."""

    user: User
    friend: User
    root: User
    over: Tournament
    on: Tournament
    shared: Tournament
    watched: Tournament
    team_cup: Tournament
    open_team_cup: Tournament
    led_team: Team
    other_team: Team
    image: Evidence
    token: str
    calendar: str
    session: str

    @property
    def tournaments(self) -> list[Tournament]:
        return [self.over, self.on, self.shared, self.watched, self.team_cup, self.open_team_cup]

    @property
    def secrets(self) -> tuple[str, ...]:
        return self.token, self.calendar, self.session, self.user.password


def whole_life() -> Life:
    """Needs a folder for files (`media`)."""
    root, friend = factories.make_user("root", is_superuser=True), factories.make_user("friend")
    user = factories.make_user(NAME, password=factories.PASSWORD, first_name="Zoraida")
    user.email = "zoe@private.test"
    user.save()
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    session = factories.signed_in(user).session_key
    UserSession.objects.create(user=user, ip="203.0.113.99", user_agent="ZoeBrowser/1", session_key=session)
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(user=root, content_type=kind, object_id=user.pk, object_repr=NAME, action_flag=CHANGE)
    _, token = api_tokens.create(user, name="zoe bot", scopes=["play"])
    over, on = _played(user), _disputed(user, friend)
    shared = factories.make_tournament(user)
    tournaments.add_member(Actor(user), shared.pk, username="friend", role=Role.ORGANIZER)
    integrations.add(Actor(user), shared.pk, url="https://hook.zoe.test/in", name="Hook")
    led, other, team_cup, open_team_cup = _teams(user, friend)
    return Life(
        user,
        friend,
        root,
        over,
        on,
        shared,
        _watched(user),
        team_cup,
        open_team_cup,
        led,
        other,
        factories.add_image(Match.objects.get(tournament=on, state=MatchState.DISPUTED), user),
        token,
        calendars.new_token(user),
        session,
    )


def _played(user: User) -> Tournament:
    """She won, under a name that was another one first; somebody reported it, and she somebody else's."""
    cup = factories.open_with_entries(3, rated=True, game="chess")
    entries.register(Actor(user, "enter1"), cup.pk, name="Zoë Quist")
    entry = entry_of(cup, user)
    entries.update(Actor(cup.created_by), entry.pk, name="Zoe the Great")
    rival = cup.entries.exclude(pk=entry.pk).first()
    reports.report_entry(Actor(rival.user), entry.pk, reason="offensive", text="Look.")
    reports.report_entry(Actor(user), rival.pk, reason="offensive", text="a rude name")
    factories.draw(cup)
    factories.play(cup, lambda match: Score(2, 0) if match.home_id == entry.pk else Score(0, 2))
    return factories.fresh(cup)


def _disputed(user: User, friend: User) -> Tournament:
    cup = factories.open_registration(factories.make_tournament())
    for person in (user, friend):
        factories.enter(cup, person)
    factories.draw(cup)
    match = factories.match_number(cup, 1)
    matches.report(Actor(friend), match.pk, Score(1, 0))
    matches.dispute(Actor(user), match.pk, cause="score", text="that was no goal")
    return factories.fresh(cup)


def _teams(user: User, friend: User) -> tuple[Team, Team, Tournament, Tournament]:
    """She leads a team that plays, and is in another that has only registered."""
    led, other = factories.make_team("captain1", "mate1", name="Blues"), factories.make_team("captain2", name="Whites")
    for team in (led, other):
        team.members.create(user=user, joined_at=team.created_at)
    Team.objects.filter(pk=led.pk).update(captain=user)
    led.refresh_from_db()
    cup = factories.open_registration(factories.make_tournament(participation="team"))
    factories.enter_team(cup, led)
    factories.enter_team(cup, factories.make_team())
    later = factories.open_registration(factories.make_tournament(participation="team"))
    factories.enter_team(later, other)
    return led, other, factories.draw(cup), later


def _watched(user: User) -> Tournament:
    """She was on the staff, and is banned now."""
    cup = factories.open_with_entries(2)
    by = Actor(cup.created_by)
    tournaments.add_member(by, cup.pk, username=NAME, role=Role.REFEREE)
    tournaments.remove_member(by, cup.pk, user.pk)
    bans.ban(by, cup.pk, username=NAME, reason="Cheats.")
    return cup


def entry_of(cup: Tournament, user: User) -> Entry:
    return cup.entries.get(user=user)
