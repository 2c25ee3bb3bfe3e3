"""
All that one player's own page shows of all their tournaments, in seven queries however many those are.

A seat's state is a part of its tournament's: the person's entry, their matches and whom they play, the stages; where
the table of a league is small enough to be computed each time, all of that league.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, CharField, Count, F, IntegerField, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Concat

from apps.accounts.models import User
from apps.eventlog.log import Position
from apps.eventlog.models import Stream
from apps.tournaments.models import Entry, EntryStatus, Match, Stage, StageEntry, StageState, Status
from apps.tournaments.models.entry import ACTIVE
from apps.tournaments.selectors.teams import roster_entries
from apps.tournaments.state import (
    entry_fields,
    match_fields,
    stage_entry_fields,
    stage_fields,
    station_fields,
    tournament_fields,
)
from engine.match_flow import OPEN
from engine.projection import State, empty
from engine.stages import Format

MOST = 30  # tournaments, those that go on first, then the newest
TABLE = 64  # entrants of a league whose table is computed
_OVER = (Status.COMPLETED, Status.CANCELLED)
# `Tournament.stream`, as the database puts it together.
_STREAM = Concat(Value("tournament:"), Cast(F("tournament"), CharField()), output_field=CharField())
_LEAGUES = tuple(played_as for played_as in Format if played_as.is_league)


@dataclass(frozen=True, slots=True)
class Seat:
    """
    A person's place in one tournament. `acts`: not only a player of a team.

    Of matches that only lead to the person's the state has no more than where their winner and loser go.
    `number` is the place on the waitlist, from 1, 0 for who is not on it. `position`: of the log, no later than the
    state. `last_rounds`: the last round by (stage, bracket). `tables`: the stages that the state holds whole.
    """

    entry: Entry
    acts: bool
    number: int
    position: Position
    state: State
    last_rounds: dict[tuple[int, str], int]
    tables: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Rows:
    """What was read for all seats together."""

    stages: Sequence[Stage]
    entrants: Sequence[StageEntry]
    matches: Sequence[Match]
    near: Sequence[dict[str, Any]]
    tables: frozenset[int]


def seats_of(user: User) -> list[Seat]:
    """Return where a person plays, or has played without having left. Up to seven queries."""
    entries = _entries(user)
    if not entries:
        return []
    stages = list(
        Stage.objects.filter(tournament__in=[entry.tournament_id for entry in entries])
        .annotate(size=Count("entries"))
        .order_by("number")
    )
    tables = frozenset(
        stage.pk
        for stage in stages
        if stage.format in _LEAGUES and stage.state == StageState.LIVE and stage.size <= TABLE
    )
    ids = [entry.pk for entry in entries]
    entrants = list(StageEntry.objects.filter(Q(entry__in=ids) | Q(stage__in=tables)))
    matches = _matches(ids, tables)
    rows = _Rows(stages, entrants, matches, _feeders(ids, matches), tables)
    return [_seat(user, entry, rows) for entry in entries]


def _entries(user: User) -> list[Entry]:
    """Return the entries, with their tournaments, annotated: `epoch`, `head`, `ahead` on the waitlist. Two queries."""
    mine = Q(user=user) | Q(pk__in=roster_entries(user))
    stream = Stream.objects.filter(name=OuterRef("stream"))
    before = Q(waitlisted_at__lt=OuterRef("waitlisted_at")) | Q(
        waitlisted_at=OuterRef("waitlisted_at"), pk__lt=OuterRef("pk")
    )
    ahead = (
        Entry.objects.filter(before | Q(waitlisted_at=None), tournament=OuterRef("tournament"))
        .filter(status=EntryStatus.WAITLISTED)
        .exclude(pk=OuterRef("pk"))
        .order_by()
        .values("tournament")
        .annotate(count=Count("pk"))
        .values("count")
    )
    goes_on = Case(When(tournament__status__in=_OVER, then=Value(0)), default=Value(1), output_field=IntegerField())
    found = (
        Entry.objects.filter(mine, status__in=ACTIVE)
        .exclude(tournament__status=Status.DRAFT)
        .select_related("tournament")
        .annotate(stream=_STREAM, goes_on=goes_on, ahead=Coalesce(Subquery(ahead), 0))
        .annotate(epoch=Subquery(stream.values("epoch")), head=Subquery(stream.values("head")))
        .order_by("-goes_on", "-pk")
    )
    return list(found[:MOST])


def _matches(ids: Iterable[int], tables: Iterable[int]) -> list[Match]:
    same = Match.objects.filter(stage=OuterRef("stage"), bracket=OuterRef("bracket"))
    last = same.order_by("-round").values("round")[:1]
    found = Match.objects.filter(Q(home__in=ids) | Q(away__in=ids) | Q(stage__in=tables))
    return list(
        found.select_related("home", "away", "station").annotate(last=Subquery(last)).order_by("stage", "number")
    )


def _feeders(ids: Iterable[int], matches: Iterable[Match]) -> list[dict[str, Any]]:
    """Return where the opponents come from who are not known yet. At most one query."""
    mine = set(ids)
    wanted = Q()
    for match in matches:
        if match.state in OPEN and {match.home_id, match.away_id} & mine and None in (match.home_id, match.away_id):
            wanted |= Q(stage=match.stage_id) & (Q(winner_to=match.number) | Q(loser_to=match.number))
    if not wanted:
        return []
    fields = ("id", "stage", "number", "winner_to", "winner_to_side", "loser_to", "loser_to_side")
    return list(Match.objects.filter(wanted).values(*fields))


def _seat(user: User, entry: Entry, rows: _Rows) -> Seat:
    state = empty()
    tournament = entry.tournament
    own = {stage.pk for stage in rows.stages if stage.tournament_id == tournament.pk}
    played = [match for match in rows.matches if match.stage_id in own]
    state["tournament"] = tournament_fields(tournament)
    state["stages"] = {str(stage.pk): stage_fields(stage) for stage in rows.stages if stage.pk in own}
    people = [entry, *(side for match in played for side in (match.home, match.away) if side)]
    state["entries"] = {str(person.pk): entry_fields(person) for person in people}
    state["stage_entries"] = {str(row.pk): stage_entry_fields(row) for row in rows.entrants if row.stage_id in own}
    state["matches"] = {str(match.pk): match_fields(match) for match in played}
    state["stations"] = {
        str(match.station.pk): station_fields(match.station) for match in played if match.station is not None
    }
    for row in rows.near:
        if row["stage"] in own:
            state["matches"].setdefault(str(row["id"]), row)
    return Seat(
        entry=entry,
        acts=entry.user_id == user.pk,
        number=entry.ahead + 1 if entry.status == EntryStatus.WAITLISTED else 0,  # type: ignore[attr-defined]
        position=Position(entry.epoch, entry.head),  # type: ignore[attr-defined]
        state=state,
        last_rounds={(match.stage_id, str(match.bracket)): match.last for match in played},  # type: ignore[attr-defined]
        tables=rows.tables & own,
    )
