"""Teams, their people and where they play. Every function says how many queries it costs."""

from django.db.models import Count, Q, QuerySet

from apps.accounts.models import User
from apps.errors import NotFound
from apps.tournaments.models import Entry, Status, Team, TeamMember
from apps.tournaments.models.entry import ACTIVE
from apps.tournaments.permissions import Person


def team_for(team_id: int) -> Team:
    """
    Return a team with its captain; one that was disbanded can still be seen. One query.

    Raises:
        NotFound: no such team.
    """
    team = Team.objects.select_related("captain").filter(pk=team_id).first()
    if team is None:
        message = "There is no such team."
        raise NotFound(message)
    return team


def all_teams() -> QuerySet[Team]:
    """Return the teams by name, each with `member_count`. One query."""
    joined = Count("members", filter=Q(members__joined_at__isnull=False))
    return Team.objects.filter(disbanded_at=None).annotate(member_count=joined).order_by("name", "pk")


def teams_of(user: User) -> QuerySet[Team]:
    """Return the teams that a person has joined, by name, each with `member_count`. One query."""
    mine = TeamMember.objects.filter(user=user, joined_at__isnull=False).values("team")
    return all_teams().filter(pk__in=mine)


def invitations_of(user: User) -> QuerySet[Team]:
    """Return the teams that a person is invited to, by name, each with `member_count`. One query."""
    return all_teams().filter(pk__in=TeamMember.objects.filter(user=user, joined_at=None).values("team"))


def captained_by(user: User) -> QuerySet[Team]:
    """Return the teams that a person can register, by name. One query."""
    return Team.objects.filter(captain=user, disbanded_at=None).order_by("name", "pk")


def people_of(team: Team, *, invited: bool = False) -> list[TeamMember]:
    """Return who has joined, or with `invited` who has not, in that order. One query."""
    found = team.members.filter(joined_at__isnull=invited).select_related("user")
    return list(found.order_by("joined_at", "pk"))


def entries_of(team: Team) -> QuerySet[Entry]:
    """Return a team's entries in tournaments that everybody can see, newest first, with the tournaments. One query."""
    found = team.entries.exclude(tournament__status=Status.DRAFT).select_related("tournament")
    return found.order_by("-pk")


def roster_entries(person: Person) -> list[int]:
    """Return the ids of the active entries in whose rosters a person is. One query; none for a guest."""
    if not isinstance(person, User):
        return []
    # A database cannot look into rosters the same way everywhere; the teams of one person have few entries.
    joined = TeamMember.objects.filter(user=person, joined_at__isnull=False).values("team")
    rosters = Entry.objects.filter(team__in=joined, status__in=ACTIVE).values_list("pk", "roster")
    return [pk for pk, roster in rosters if any(player["user"] == person.pk for player in roster)]
