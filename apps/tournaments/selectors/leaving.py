"""What becomes of what a person leaves behind when their account is deleted."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from apps.accounts.models import User
from apps.eventlog.models import Event
from apps.tournaments.models import Entry, Member, Role, Status, Team, Tournament
from apps.tournaments.models.entry import ACTIVE

OVER = (Status.COMPLETED, Status.CANCELLED)


@dataclass(frozen=True, slots=True)
class Leaving:
    """
    `led_alone`: tournaments that go on and would be left without an organiser; `is_last_administrator`: so would the
    site. Neither can be. `withdrawn`: entries of the person, or of a team that ends, that still play. `heirs`: the
    teams that somebody else leads from then on; `ending`: those of which nobody else is a member.
    """

    led_alone: Sequence[Tournament]
    is_last_administrator: bool
    withdrawn: Sequence[Entry]
    heirs: Sequence[tuple[Team, User]]
    ending: Sequence[Team]

    @property
    def is_possible(self) -> bool:
        return not self.led_alone and not self.is_last_administrator


def leaving(user: User) -> Leaving:
    """Return what would become of what a person leaves behind. Five queries, and one for each team that they lead."""
    led = user.captained_teams.filter(disbanded_at=None).order_by("name", "pk")
    heirs = [(team, heir_of(team)) for team in led]
    ending = [team for team, heir in heirs if heir is None]
    own = Q(user=user, team=None) | Q(team__in=ending)
    entries = Entry.objects.filter(own, status__in=ACTIVE).exclude(tournament__status__in=OVER)
    return Leaving(
        _led_alone(user),
        _is_last_administrator(user),
        list(entries.select_related("tournament").order_by("tournament", "pk")),
        [(team, heir) for team, heir in heirs if heir is not None],
        ending,
    )


def heir_of(team: Team) -> User | None:
    """Return the member besides the captain who has been in a team longest. One query."""
    joined = team.members.filter(joined_at__isnull=False, user__is_active=True).exclude(user=team.captain_id)
    first = joined.select_related("user").order_by("joined_at", "pk").first()
    return None if first is None else first.user


def named_in(user: User, *, after: int = 0) -> set[int]:
    """
    Return the ids of the tournaments in whose rows a person is named, or in events whose id is more than `after`.

    Cost: four queries, one of which looks through the texts of all those events.
    """
    teams = user.teams.values("team")
    rows = (
        Entry.objects.filter(Q(user=user) | Q(team__in=teams)).values_list("tournament", flat=True),
        user.memberships.values_list("tournament", flat=True),
        user.bans.values_list("tournament", flat=True),
    )
    # A user name has neither quotes nor letters that JSON would escape. It stands behind its key (staff, bans) or in a
    # list (rosters). Looked for anywhere, somebody called "match" would be in every event.
    name = f'"{user.username}"'
    stands = Q(data__contains=f'"username":{name}')
    for text in (f"[{name}", f",{name},", f",{name}]"):
        stands |= Q(data__contains=text)
    told = Event.objects.filter(stands, pk__gt=after, stream__name__startswith="tournament:")
    streams = told.order_by().values_list("stream__name", flat=True).distinct()
    return {pk for found in rows for pk in found} | {int(name.partition(":")[2]) for name in streams}


def _led_alone(user: User) -> list[Tournament]:
    organisers = Member.objects.filter(role=Role.ORGANIZER)
    others = organisers.filter(user__is_active=True).exclude(user=user)
    led = Tournament.objects.filter(pk__in=organisers.filter(user=user).values("tournament")).exclude(status__in=OVER)
    return list(led.exclude(pk__in=others.values("tournament")).order_by("pk"))


def _is_last_administrator(user: User) -> bool:
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=user.pk)
    return user.is_superuser and not others.exists()
