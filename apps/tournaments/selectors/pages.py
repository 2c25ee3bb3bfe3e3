"""What single pages need besides a snapshot. Every function says how many queries it costs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, IntegerField, Max, Min, OuterRef, Q, QuerySet, Subquery, Value, When

from apps.accounts.models import User
from apps.errors import NotFound
from apps.eventlog.log import PUBLIC
from apps.eventlog.models import Event
from apps.tournaments.models import Dispute, Entry, Match, Reopening, Role, Stage, StageState, Status, Tournament
from apps.tournaments.models.entry import ACTIVE
from apps.tournaments.permissions import Person, role_of
from apps.tournaments.selectors.lists import visible_tournaments
from engine.match_flow import OVER, MatchState
from engine.text import gettext as _

_HOME_ORDER = (Status.LIVE, Status.REGISTRATION_OPEN, Status.REGISTRATION_CLOSED, Status.PUBLISHED, Status.DRAFT)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """
    Where a match stands in its bracket: who feeds it, and the ids of what it feeds.

    `last_rounds`: the last round by (stage, bracket), of the match's own bracket.
    """

    last_rounds: dict[tuple[int, str], int]
    feeders: list[dict[str, Any]]
    ids: dict[int, int]  # match ids by number


@dataclass(frozen=True, slots=True)
class Timeline:
    """The seqs of a log from `first` to `last`, its latest event at a moment, and the seqs of the next steps."""

    first: int
    last: int
    present: Event
    before: int | None
    after: int | None


def open_tournaments(person: Person, *, limit: int) -> list[Tournament]:
    """Return the tournaments that are not over: live first, then those that can be entered. One query."""
    rank = Case(
        *(When(status=status, then=Value(number)) for number, status in enumerate(_HOME_ORDER)),
        output_field=IntegerField(),
    )
    found = visible_tournaments(person, statuses=_HOME_ORDER).annotate(rank=rank)
    return list(found.order_by("rank", "starts_at", "-pk")[:limit])


def finished_tournaments(person: Person) -> QuerySet[Tournament]:
    """Return the tournaments that are over, newest first. One query."""
    return visible_tournaments(person, statuses=(Status.COMPLETED, Status.CANCELLED))


def match_progress(tournaments: Iterable[Tournament]) -> dict[int, tuple[int, int]]:
    """Return (matches that are over, matches) by tournament id. One query."""
    rows = (
        Match.objects.filter(tournament__in=[t.pk for t in tournaments])
        .values("tournament_id")
        .annotate(total=Count("pk"), done=Count("pk", filter=Q(state__in=OVER)))
    )
    return {row["tournament_id"]: (row["done"], row["total"]) for row in rows}


def live_matches(tournaments: Iterable[Tournament], *, limit: int) -> list[Match]:
    """Return matches in play, with their entrants, the one that started last first. One query."""
    found = Match.objects.filter(tournament__in=[t.pk for t in tournaments], state=MatchState.LIVE)
    return list(found.select_related("home", "away", "tournament").order_by("-started_at")[:limit])


def visited(person: Person, tournament_id: int) -> tuple[Tournament, Role, int | None]:
    """
    Return a tournament, what the person is in it, and the id of their entry: the active one, else the last.

    Raises:
        NotFound: no such tournament, or a draft of somebody else's.

    Cost: up to two queries.
    """
    own = Entry.objects.filter(tournament=OuterRef("pk"), user=person if isinstance(person, User) else None)
    is_active = Case(When(status__in=ACTIVE, then=Value(1)), default=Value(0), output_field=IntegerField())
    best = own.order_by(is_active.desc(), "-pk").values("pk")[:1]
    found = visible_tournaments(person).filter(pk=tournament_id).select_related("created_by")
    tournament = found.annotate(own_entry=Subquery(best)).first()
    if tournament is None:
        raise NotFound(_("There is no such tournament."))
    own_entry = tournament.own_entry if isinstance(person, User) else None
    return tournament, role_of(person, tournament_id), own_entry


def neighbours(match: Match) -> Neighbours:
    """Return what stands before and after a match. One query."""
    stage = Match.objects.filter(stage=match.stage_id)
    near = [number for number in (match.number, match.winner_to, match.loser_to) if number is not None]
    last = stage.filter(bracket=match.bracket).order_by("-round").values("round")[:1]
    around = stage.filter(Q(winner_to=match.number) | Q(loser_to=match.number) | Q(number__in=near))
    fields = ("id", "stage", "number", "winner_to", "winner_to_side", "loser_to", "loser_to_side")
    rows = list(around.annotate(last=Subquery(last)).order_by("number").values(*fields, "last"))
    rounds = {(match.stage_id, str(match.bracket)): row.pop("last") for row in rows}
    feeders = [row for row in rows if match.number in (row["winner_to"], row["loser_to"])]
    return Neighbours(rounds, feeders, {row["number"]: row["id"] for row in rows})


def disputes_of(match_id: int) -> list[Dispute]:
    """Return a match's disputes with their evidence, the newest first. Two queries. For the staff and both sides."""
    found = Dispute.objects.filter(match=match_id).select_related("resolved_by").prefetch_related("evidence")
    return list(found.order_by("-pk"))


def last_reopening(match_id: int) -> tuple[Reopening, bool] | None:
    """
    Return the latest reopening of a match that has not been undone, and whether it still can be: as long as none of its
    matches has changed. Up to three queries.
    """
    found = Reopening.objects.filter(match=match_id, undone_at=None).order_by("-pk").first()
    if found is None:
        return None
    versions = Match.objects.filter(pk__in=found.after).values_list("pk", "version")
    is_as_left = {str(pk): version for pk, version in versions} == found.after
    withdrawn = found.before["withdrawn"]
    drawn_anew = withdrawn and Stage.objects.filter(pk__in=withdrawn).exclude(state=StageState.PENDING).exists()
    return found, is_as_left and not drawn_anew


def timeline(tournament: Tournament, at: int | datetime | None, *, steps_over: Iterable[str] = ()) -> Timeline:
    """
    Return where a moment lies in a tournament's public log: after the event `at`, at the time `at`, or now. It begins
    when the tournament was published, or with the log of a draft.

    `steps_over`: types of events that `before` and `after` pass by. Cost: four queries.
    """
    events = Event.objects.filter(stream__name=tournament.stream, audience=PUBLIC)
    published = Min("seq", filter=Q(type="tournament_published"))
    bounds = events.aggregate(published=published, first=Min("seq"), last=Max("seq"))
    first, last = bounds["published"] or bounds["first"], bounds["last"]
    seen = events.filter(seq__gte=first)
    reached = seen.filter(at__lte=at) if isinstance(at, datetime) else seen.filter(seq__lte=last if at is None else at)
    present = reached.order_by("-seq").first() or seen.order_by("seq")[0]
    story = seen.exclude(type__in=list(steps_over)).values_list("seq", flat=True)
    before = story.filter(seq__lt=present.seq).order_by("-seq").first()
    after = story.filter(seq__gt=present.seq).order_by("seq").first()
    return Timeline(first, last, present, before, after)


def actor_names(actors: Iterable[str]) -> dict[str, str]:
    """Return user names by actor ("user:5"). One query."""
    ids = {int(actor.removeprefix("user:")) for actor in actors if actor.startswith("user:")}
    return {f"user:{pk}": name for pk, name in User.objects.filter(pk__in=ids).values_list("pk", "username")}


def staffed_tournaments(user: User) -> list[Tournament]:
    """Return the tournaments whose staff a person belongs to, newest first. One query."""
    return list(Tournament.objects.filter(members__user=user).order_by("-pk")[:50])
