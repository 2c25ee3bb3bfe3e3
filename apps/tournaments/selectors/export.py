"""A whole tournament as a document that can be imported elsewhere."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from apps.errors import NotFound
from apps.eventlog.log import consistent_read
from apps.tournaments.exchange import document, vetoes
from apps.tournaments.models import Dispute, Entry, Match, Stage, StageEntry, Station, Tournament
from apps.tournaments.state import entry_fields, match_fields, stage_entry_fields, tournament_fields
from engine.bracket import Side
from engine.text import gettext as _

Numbers = Mapping[int | None, int | None]

_TIMES = ("starts_at", "check_in_opens_at", "check_in_closes_at", "created_at")


def export(tournament_id: int, *, staff: bool = False, at: datetime | None = None) -> document.Document:
    """
    Return a tournament as it stands: rows by their numbers, people by the names that they play under.

    Args:
        staff: with the disputes, which are for the staff.
        at: the present, to be written into the document.

    What is left out: who is on the staff, accounts, the images in disputes, vetoes that are not over (their seed is a
    secret), announcements, invitations to the staff, the log, and what undoing a reopening would need.

    Raises:
        NotFound: no such tournament. Whether the person may see it is the caller's question.

    Cost: seven queries, whatever the number of entrants.
    """
    with consistent_read():
        tournament = Tournament.objects.filter(pk=tournament_id).first()
        if tournament is None:
            message = _("There is no such tournament.")
            raise NotFound(message)
        stages = list(tournament.stages.order_by("number"))
        entries = list(tournament.entries.order_by("pk"))
        stations = list(tournament.stations.order_by("pk"))
        rows: defaultdict[int, list[StageEntry]] = defaultdict(list)
        for row in StageEntry.objects.filter(stage__tournament=tournament).order_by("seed"):
            rows[row.stage_id].append(row)
        matches: defaultdict[int, list[Match]] = defaultdict(list)
        for match in tournament.matches.order_by("number"):
            matches[match.stage_id].append(match)
        disputes = Dispute.objects.filter(match__tournament=tournament).select_related("match__stage").order_by("pk")
        entry_numbers, station_numbers = _numbered(entries), _numbered(stations)
        return document.Document(
            format=document.FORMAT,
            exported_at=at,
            tournament=_tournament(tournament, entry_numbers),
            stations=[
                document.Station(number=number, name=station.name, order=station.order)
                for number, station in enumerate(stations, start=1)
            ],
            entries=[_entry(number, entry) for number, entry in enumerate(entries, start=1)],
            stages=[
                _stage(stage, rows[stage.pk], matches[stage.pk], entry_numbers, station_numbers) for stage in stages
            ],
            disputes=[_dispute(dispute) for dispute in disputes] if staff else [],
        )


def _numbered(rows: list[Entry] | list[Station]) -> Numbers:
    numbers: dict[int | None, int | None] = {row.pk: number for number, row in enumerate(rows, start=1)}
    numbers[None] = None
    return numbers


def _tournament(row: Tournament, numbers: Numbers) -> document.Tournament:
    fields = tournament_fields(row) | {name: getattr(row, name) for name in _TIMES}
    for place in ("champion", "runner_up", "third_place"):
        fields[place] = numbers[fields[place]]
    del fields["id"], fields["notices"], fields["on_stream"]
    return msgspec.convert(fields, document.Tournament)


def _entry(number: int, row: Entry) -> document.Entry:
    fields = entry_fields(row)
    return document.Entry(
        number=number,
        name=row.name,
        status=fields["status"],
        seed=row.seed,
        roster=fields["roster"],
        checked_in_at=row.checked_in_at,
        waitlisted_at=row.waitlisted_at,
        claim_by=row.claim_by,
        created_at=row.created_at,
    )


def _stage(
    row: Stage, entries: list[StageEntry], matches: list[Match], numbers: Numbers, stations: Numbers
) -> document.Stage:
    return msgspec.convert(
        {
            "number": row.number,
            "name": row.name,
            "format": row.format,
            "state": row.state,
            "settings": msgspec.to_builtins(row.options),
            "entries": [_stage_entry(each, numbers) for each in entries],
            "matches": [_match(each, numbers, stations) for each in matches],
        },
        document.Stage,
    )


def _stage_entry(row: StageEntry, numbers: Numbers) -> dict[str, Any]:
    fields = stage_entry_fields(row) | {"entry": numbers[row.entry_id]}
    del fields["id"], fields["stage"]
    return fields


def _match(row: Match, numbers: Numbers, stations: Numbers) -> dict[str, Any]:
    fields = match_fields(row)
    del fields["id"], fields["stage"], fields["veto_deadline_at"]
    for entrant in ("home", "away", "winner"):
        fields[entrant] = numbers[fields[entrant]]
    for name in ("winner_to", "loser_to"):
        number, side = fields[name], fields.pop(f"{name}_side")
        fields[name] = None if number is None else {"match": number, "side": side}
    sides = ("home", "away", "winner")
    fields["kept"] = [{**kept, **{side: numbers[kept[side]] for side in sides}} for kept in row.kept]
    return fields | {"station": stations[row.station_id], "veto": _veto(row, numbers)}


def _veto(row: Match, numbers: Numbers) -> document.Veto | None:
    if row.veto is None:
        return None
    home, away = (numbers[row.veto[side]] for side in Side)
    return vetoes.told(row.veto, home=home or 0, away=away or 0)


def _dispute(row: Dispute) -> document.Dispute:
    return document.Dispute(
        stage=row.match.stage.number,
        match=row.match.number,
        opened_by=Side(row.opened_by) if row.opened_by else None,
        cause=row.cause,  # type: ignore[arg-type] # one of the choices
        text=row.text,
        ruling=row.ruling,
        opened_at=row.opened_at,
        resolved_at=row.resolved_at,
    )
