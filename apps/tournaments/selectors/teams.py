"""Teams, their people and where they play. Every function says how many queries it costs."""

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from apps.accounts.models import User
from apps.errors import NotFound
from apps.tournaments.models import Entry, Match, Participation, Status, Team, TeamMember, Tournament
from apps.tournaments.models.entry import ACTIVE
from apps.tournaments.permissions import Person
from engine.bracket import Side
from engine.text import gettext as _


def team_for(team_id: int) -> Team:
    """
    Return a team with its captain; one that was disbanded can still be seen. One query.

    Raises:
        NotFound: no such team.
    """
    team = Team.objects.select_related("captain").filter(pk=team_id).first()
    if team is None:
        message = _("There is no such team.")
        raise NotFound(message)
    return team


def all_teams() -> QuerySet[Team]:
    """Return the teams by name, each with `member_count`. One query."""
    joined = Count("members", filter=Q(members__joined_at__isnull=False))
    return Team.objects.filter(disbanded_at=None).annotate(member_count=joined).order_by("name", "pk")


def my_teams(user: User) -> QuerySet[Team]:
    """Return the teams that a person is in or invited to, as `all_teams` does, each with `joined_at`. One query."""
    mine = TeamMember.objects.filter(user=user)
    joined = mine.filter(team=OuterRef("pk")).values("joined_at")[:1]
    return all_teams().filter(pk__in=mine.values("team")).annotate(joined_at=Subquery(joined))


def joined_by(user: User) -> QuerySet[Team]:
    """Return the teams that a person is in, as `all_teams` does. One query."""
    return all_teams().filter(pk__in=TeamMember.objects.filter(user=user, joined_at__isnull=False).values("team"))


def invitations_of(user: User) -> QuerySet[Team]:
    """Return the teams that a person is invited to, as `all_teams` does. One query."""
    return all_teams().filter(pk__in=TeamMember.objects.filter(user=user, joined_at=None).values("team"))


def captained_by(person: Person) -> QuerySet[Team]:
    """Return the teams that a person can register, by name. One query; none for a guest."""
    found = (
        Team.objects.filter(captain=person.pk, disbanded_at=None) if isinstance(person, User) else Team.objects.none()
    )
    return found.order_by("name", "pk")


def people_of(team: Team, *, invited: bool = False) -> list[TeamMember]:
    """Return who has joined, or with `invited` who has not, in that order. One query."""
    found = team.members.filter(joined_at__isnull=invited).select_related("user")
    return list(found.order_by("joined_at", "pk"))


def entries_of(team: Team) -> QuerySet[Entry]:
    """Return a team's entries in tournaments that everybody can see, newest first, with the tournaments. One query."""
    found = team.entries.exclude(tournament__status=Status.DRAFT).select_related("tournament")
    return found.order_by("-pk")


def entry_played_in(person: Person, tournament: Tournament) -> int | None:
    """Return the id of the entry in whose roster a person is in a tournament. At most one query."""
    if tournament.participation != Participation.TEAM:
        return None
    return next(iter(roster_entries(person, tournament=tournament)), None)


def side_played_on(person: Person, match: Match) -> Side | None:
    """Return the side whose roster a person is in, in a match that has its tournament loaded. At most one query."""
    entry = entry_played_in(person, match.tournament)
    return None if entry is None else next((side for side in Side if match.entry_id(side) == entry), None)


def roster_entries(person: Person, *, tournament: Tournament | None = None) -> list[int]:
    """Return the ids of the active entries, of one tournament or all, in whose rosters a person is. One query."""
    if not isinstance(person, User):
        return []
    # A database cannot look into rosters the same way everywhere; the teams of one person have few entries.
    joined = TeamMember.objects.filter(user=person, joined_at__isnull=False).values("team")
    found = Entry.objects.filter(team__in=joined, status__in=ACTIVE)
    if tournament is not None:
        found = found.filter(tournament=tournament)
    return [
        pk for pk, roster in found.values_list("pk", "roster") if any(player["user"] == person.pk for player in roster)
    ]
