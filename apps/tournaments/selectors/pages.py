"""What single pages need besides a snapshot. Every function says how many queries it costs."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, IntegerField, Max, Q, QuerySet, Value, When

from apps.accounts.models import User
from apps.eventlog.models import Event
from apps.tournaments.models import Entry, Match, Status, Tournament
from apps.tournaments.models.entry import ACTIVE
from apps.tournaments.permissions import Person
from apps.tournaments.selectors.lists import visible_tournaments
from engine.match_flow import MatchState

_HOME_ORDER = (Status.LIVE, Status.REGISTRATION_OPEN, Status.REGISTRATION_CLOSED, Status.PUBLISHED, Status.DRAFT)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Where a match stands in its bracket: the rounds of the stage, who feeds it, and the ids of what it feeds."""

    rounds: int
    feeders: list[dict[str, Any]]
    ids: dict[int, int]  # match ids by number


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
    """Return (matches completed, matches) by tournament id. One query."""
    rows = (
        Match.objects.filter(tournament__in=[t.pk for t in tournaments])
        .values("tournament_id")
        .annotate(total=Count("pk"), done=Count("pk", filter=Q(state=MatchState.COMPLETED)))
    )
    return {row["tournament_id"]: (row["done"], row["total"]) for row in rows}


def live_matches(tournaments: Iterable[Tournament], *, limit: int) -> list[Match]:
    """Return matches in play, with their entrants, the one that started last first. One query."""
    found = Match.objects.filter(tournament__in=[t.pk for t in tournaments], state=MatchState.LIVE)
    return list(found.select_related("home", "away", "tournament").order_by("-started_at")[:limit])


def own_entry(person: Person, tournament: Tournament) -> Entry | None:
    """Return a person's entry in a tournament: the active one, else the last. One query; none for a guest."""
    if not isinstance(person, User):
        return None
    entries = list(Entry.objects.filter(tournament=tournament, user=person).order_by("-pk")[:10])
    return next((e for e in entries if e.status in ACTIVE), entries[0] if entries else None)


def neighbours(match: Match) -> Neighbours:
    """Return what stands before and after a match. Two queries."""
    rounds = Match.objects.filter(stage=match.stage_id).aggregate(last=Max("round"))["last"] or 1
    after = [number for number in (match.winner_to, match.loser_to) if number is not None]
    around = Match.objects.filter(stage=match.stage_id).filter(
        Q(winner_to=match.number) | Q(loser_to=match.number) | Q(number__in=after)
    )
    fields = ("id", "stage", "number", "winner_to", "winner_to_side", "loser_to", "loser_to_side")
    rows = list(around.order_by("number").values(*fields))
    feeders = [row for row in rows if match.number in (row["winner_to"], row["loser_to"])]
    return Neighbours(rounds, feeders, {row["number"]: row["id"] for row in rows})


def actor_names(events: Iterable[Event]) -> dict[str, str]:
    """Return user names by actor ("user:5"). One query."""
    ids = {int(event.actor.removeprefix("user:")) for event in events if event.actor.startswith("user:")}
    return {f"user:{pk}": name for pk, name in User.objects.filter(pk__in=ids).values_list("pk", "username")}


def staffed_tournaments(user: User) -> list[Tournament]:
    """Return the tournaments whose staff a person belongs to, newest first. One query."""
    return list(Tournament.objects.filter(members__user=user).order_by("-pk")[:50])
