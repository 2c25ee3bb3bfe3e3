"""
People and tournaments for tests, made by the product's own services, so that rows and log agree.

A tournament's organiser is its `created_by`; an entrant's player is `entry.user`.
"""

from collections.abc import Callable
from hashlib import sha256
from itertools import count
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from apps.accounts.models import User
from apps.accounts.tokens import SignedIn
from apps.tournaments.models import Entry, Evidence, Match, StageState, Status, Team, Tournament
from apps.tournaments.services import Actor, brackets, entries, matches, teams, tournaments
from apps.tournaments.services.unit import present
from engine.match_flow import MatchState, Score
from engine.stages import Format

PASSWORD = "correct horse battery staple"

_numbers = count(1)


def make_name() -> str:
    """Return a user name that nobody has."""
    return f"user{next(_numbers)}"


def make_user(name: str | None = None, *, password: str | None = None, **fields: Any) -> User:
    """Return an active user; one without `password` cannot sign in, which saves the time of hashing it."""
    name = name or make_name()
    return User.objects.create_user(name, f"{name}@example.test", password, **fields)


def signed_in(user: User) -> SignedIn:
    """Return a user with a session of their own, as signing in makes one."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return SignedIn(user, session.session_key)


def make_tournament(organizer: User | None = None, **chosen: Any) -> Tournament:
    """Return a draft; `chosen` are the keywords of the service."""
    chosen.setdefault("name", f"Cup {next(_numbers)}")
    done = tournaments.create(Actor(organizer or make_user()), **chosen)
    return Tournament.objects.get(pk=done.ids["tournament_id"])


def publish(tournament: Tournament) -> Tournament:
    tournaments.publish(Actor(tournament.created_by), tournament.pk)
    return fresh(tournament)


def open_registration(tournament: Tournament) -> Tournament:
    """Publish a draft and open its registration."""
    publish(tournament)
    tournaments.open_registration(Actor(tournament.created_by), tournament.pk)
    return fresh(tournament)


def enter(tournament: Tournament, user: User, name: str = "") -> Entry:
    """Register a person in a tournament whose registration is open."""
    done = entries.register(Actor(user), tournament.pk, name=name)
    return Entry.objects.select_related("user").get(pk=done.ids["entry_id"])


def make_team(captain: str = "", *members: str, name: str = "") -> Team:
    """Return a team of people of these names, who have all joined."""
    leader = make_user(captain or None)
    done = teams.create(Actor(leader), name=name or f"Team {next(_numbers)}")
    for member in members:
        user = make_user(member)
        teams.invite(Actor(leader), done.ids["team_id"], username=member)
        teams.accept(Actor(user), done.ids["team_id"])
    return Team.objects.select_related("captain").get(pk=done.ids["team_id"])


def enter_team(tournament: Tournament, team: Team, *players: str) -> Entry:
    """Register a team in a tournament whose registration is open, with these members or all."""
    roster = [team.members.get(user__username=player).user_id for player in players] if players else None
    done = entries.register(Actor(team.captain), tournament.pk, team_id=team.pk, roster=roster)
    return Entry.objects.select_related("user").get(pk=done.ids["entry_id"])


def open_with_entries(entrants: int, organizer: User | None = None, **settings: Any) -> Tournament:
    """Return a tournament with open registration and `entrants` players, each a user."""
    tournament = open_registration(make_tournament(organizer, **settings))
    for _ in range(entrants):
        enter(tournament, make_user())
    return tournament


def drawn(entrants: int, organizer: User | None = None, **settings: Any) -> Tournament:
    """
    Return a tournament whose first stage has been drawn; nobody has played.

    `settings` are the keywords of the service: `format` and `stage` say how the stage is played.
    """
    return draw(open_with_entries(entrants, organizer, **settings))


def draw(tournament: Tournament) -> Tournament:
    """Close registration and draw the first stage."""
    tournaments.close_registration(Actor(tournament.created_by), tournament.pk)
    brackets.generate(Actor(tournament.created_by), tournament.pk)
    return fresh(tournament)


def play(
    tournament: Tournament, decide: Callable[[Match], Score] | None = None, *, matches_at_most: int = 10**6
) -> int:
    """
    Play a tournament on as its organiser, in the order of play, drawing stages and pairing rounds on the way.

    `decide` gives the score of a match; without it the better seed wins 2:0. Returns how many matches were played.
    """
    by = Actor(tournament.created_by)
    played = 0
    while played < matches_at_most:
        found = Match.objects.filter(tournament=tournament, state__in=(MatchState.READY, MatchState.CHECK_IN))
        match = found.select_related("home", "away", "stage").order_by("stage__number", "number").first()
        if match is not None:
            matches.start(by, match.pk)
            matches.finish(by, match.pk, decide(match) if decide else _favourite(match))
            played += 1
        elif fresh(tournament).status != Status.LIVE:
            break
        elif tournament.stages.filter(state=StageState.LIVE, format=Format.SWISS).exists():
            brackets.pair(by, tournament.pk)
        else:
            brackets.generate(by, tournament.pk)
    return played


def _favourite(match: Match) -> Score:
    if not match.home or not match.away:
        message = "nobody can play this match"
        raise AssertionError(message)
    wins = match.best_of // 2 + 1
    return Score(wins, 0) if (match.home.seed or 0) < (match.away.seed or 0) else Score(0, wins)


def match_number(tournament: Tournament, number: int) -> Match:
    """Return a match by its number in the order of play."""
    return Match.objects.select_related("home__user", "away__user").get(tournament=tournament, number=number)


def add_image(match: Match, user: User, data: bytes = b"image") -> Evidence:
    """Add evidence to the dispute of a match as the upload does, without looking at the picture."""
    evidence = Evidence(
        dispute=match.disputes.get(),
        uploaded_by=user,
        uploaded_at=present(),
        file=f"{sha256(data).hexdigest()}.png",
        content_type="image/png",
        size=len(data),
    )
    if not default_storage.exists(evidence.path):
        default_storage.save(evidence.path, ContentFile(data))
    evidence.save()
    return evidence


def fresh(tournament: Tournament) -> Tournament:
    return Tournament.objects.select_related("created_by").get(pk=tournament.pk)
