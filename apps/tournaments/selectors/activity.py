"""Parts of a tournament's log: who did it, what kind of thing it is, which match or entrant it is about."""

from collections.abc import Collection, Mapping

from django.db.models import BigIntegerField, Q, QuerySet
from django.db.models.functions import Cast, Substr

from apps.accounts.models import User
from apps.eventlog.models import Event
from apps.tournaments.models import Tournament

_USER = "user:"

# The kinds, each with what the names of its events begin with.
KINDS: Mapping[str, tuple[str, ...]] = {
    "results": ("match_completed", "match_cancelled", "match_reopened", "match_restored", "result_"),
    "play": ("match_started", "match_ready", "match_check", "score_updated", "veto_"),
    "entrants": ("registration_", "entry_", "entries_", "check_in_closed", "match_entrant_renamed"),
    "bracket": ("bracket_", "round_", "stage_", "standings_", "best_of_"),
    "schedule": ("schedule_", "station_", "match_scheduled", "match_called", "match_deadline"),
    "announcements": ("announcement_",),
    "tournament": ("tournament_",),
    "staff": ("member_", "staff_link_"),
}


def of_kind(found: QuerySet[Event], kind: str) -> QuerySet[Event]:
    """Return the events of one of `KINDS`."""
    named = Q()
    for beginning in KINDS[kind]:
        named |= Q(type__startswith=beginning)
    return found.filter(named)


def about(found: QuerySet[Event], *, matches: Collection[int], entries: Collection[int]) -> QuerySet[Event]:
    """Return the events about any of these matches or entries, by their ids."""
    told = Q(subject__in=[f"match:{match}" for match in matches])
    for entry in entries:
        # An entry's own events begin with its id (events.EntryChange). No index helps, but it is one stream.
        told |= Q(data__contains=f'"entry":{{"id":{entry},') | Q(data__contains=f'"entry":{{"id":{entry}}}')
    return found.filter(told)


def people(tournament: Tournament) -> dict[str, str]:
    """Return the user names of everybody who did something in a tournament, by actor ("user:5"). One query."""
    acted = Event.objects.filter(stream__name=tournament.stream, actor__startswith=_USER)
    ids = acted.annotate(user=Cast(Substr("actor", len(_USER) + 1), BigIntegerField())).values("user")
    found = User.objects.filter(pk__in=ids).order_by("username")
    return {f"{_USER}{pk}": name for pk, name in found.values_list("pk", "username")}
