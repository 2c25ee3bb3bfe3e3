"""Lists for pages and the API. Every function says how many queries it costs, and none grows with the rows."""

from collections.abc import Iterable

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Value, When

from apps.accounts.models import User
from apps.errors import NotFound
from apps.eventlog.log import PUBLIC, STAFF
from apps.eventlog.models import Event
from apps.tournaments.models import Entry, EntryStatus, Match, Role, Stage, Status, Tournament
from apps.tournaments.models.entry import ACTIVE
from apps.tournaments.permissions import Person, role_of, staffed_by
from apps.tournaments.selectors.teams import roster_entries
from engine.match_flow import OPEN, URGENCY
from engine.text import gettext as _


def visible_tournaments(person: Person, *, statuses: Iterable[str] = ()) -> QuerySet[Tournament]:
    """Return the tournaments a person may see, newest first, each with `confirmed_count`. One query."""
    confirmed = Count("entries", filter=Q(entries__status=EntryStatus.CONFIRMED))
    found = uncounted_tournaments(person, statuses=statuses).select_related("champion")
    return found.annotate(confirmed_count=confirmed).order_by("-pk")


def uncounted_tournaments(person: Person, *, statuses: Iterable[str] = ()) -> QuerySet[Tournament]:
    """Return them bare, for queries that pass by many: counting entrants costs more than all else. One query."""
    found = Tournament.objects.filter(_seen_by(person))
    wanted = list(statuses)
    return found.filter(status__in=wanted) if wanted else found


def tournament_for(person: Person, tournament_id: int) -> tuple[Tournament, Role]:
    """
    Return a tournament and what the person is in it. Up to two queries.

    Raises:
        NotFound: no such tournament, or a draft of somebody else's; after one query, so no difference can be measured.
    """
    found = Tournament.objects.filter(_seen_by(person), pk=tournament_id)
    tournament = found.select_related("created_by").first()
    if tournament is None:
        message = _("There is no such tournament.")
        raise NotFound(message)
    return tournament, role_of(person, tournament.pk)


def match_for(person: Person, match_id: int) -> tuple[Match, Role]:
    """
    Return a match, with its tournament and entrants, and what the person is in the tournament. Up to two queries.

    Raises:
        NotFound: no such match, or one of a draft; as in `tournament_for`.
    """
    found = Match.objects.filter(_seen_by(person, "tournament__"), pk=match_id)
    match = found.select_related("tournament", "stage", "home", "away", "winner").first()
    if match is None:
        message = _("There is no such match.")
        raise NotFound(message)
    return match, role_of(person, match.tournament_id)


def stage_for(person: Person, stage_id: int) -> tuple[Stage, Role]:
    """
    Return a stage, with its tournament, and what the person is in the tournament. Up to two queries.

    Raises:
        NotFound: no such stage, or one of a draft; as in `tournament_for`.
    """
    found = Stage.objects.filter(_seen_by(person, "tournament__"), pk=stage_id)
    stage = found.select_related("tournament").first()
    if stage is None:
        message = _("There is no such stage.")
        raise NotFound(message)
    return stage, role_of(person, stage.tournament_id)


def players_of(match_id: int) -> set[int]:
    """Return the ids of the people who play in a match. One query."""
    users = Match.objects.filter(pk=match_id).values_list("home__user", "away__user")
    return {user_id for sides in users for user_id in sides if user_id}


def _seen_by(person: Person, prefix: str = "") -> Q:
    """Select the tournaments that a person may see; `prefix` leads to them. A draft is for its staff."""
    if isinstance(person, User) and person.is_superuser and person.grant is None:
        return Q()
    return ~Q(**{f"{prefix}status": Status.DRAFT}) | Q(**{f"{prefix}pk__in": staffed_by(person)})


def entries_of(tournament: Tournament, *, statuses: Iterable[str] = ()) -> QuerySet[Entry]:
    """Return the entries in the order of seed, then registration. One query."""
    found = tournament.entries.filter(status__in=list(statuses)) if statuses else tournament.entries.all()
    return found.order_by("seed", "pk")


def my_entries(user: User) -> QuerySet[Entry]:
    """Return a person's active entries, a player's of a team too, newest first, with their tournaments. Two queries."""
    mine = Q(user=user) | Q(pk__in=roster_entries(user))
    return Entry.objects.filter(mine, status__in=ACTIVE).select_related("tournament").order_by("-pk")


def my_open_matches(user: User) -> QuerySet[Match]:
    """
    Return a person's and their teams' matches that are not over, in the order in which they ask for a player.

    Two queries.
    """
    order = Case(
        *(When(state=state, then=Value(number)) for number, state in enumerate(URGENCY)), output_field=IntegerField()
    )
    teams = roster_entries(user)
    mine = Q(home__user=user) | Q(away__user=user) | Q(home__in=teams) | Q(away__in=teams)
    return (
        Match.objects.filter(mine, state__in=OPEN)
        .exclude(tournament__status=Status.CANCELLED)
        .select_related("tournament", "home", "away")
        .annotate(order=order)
        .order_by("order", "tournament_id", "stage__number", "number")
    )


def activity(tournament: Tournament, *, audience: str, subject: str = "", before: int | None = None) -> QuerySet[Event]:
    """
    Return the events of a tournament, newest first; of one match when `subject` is its name. One query.

    `before`: only events with a lower seq (the next page).
    """
    audiences = (PUBLIC, STAFF) if audience == STAFF else (PUBLIC,)
    found = Event.objects.filter(stream__name=tournament.stream, audience__in=audiences)
    if subject:
        found = found.filter(subject=subject)
    if before is not None:
        found = found.filter(seq__lt=before)
    return found.order_by("-seq")
