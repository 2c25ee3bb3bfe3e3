"""The rows of a tournament that comes whole, in a document."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from apps.errors import BadRequest
from apps.eventlog import log
from apps.tournaments import permissions
from apps.tournaments.events import MemberAdded, MemberChange, TournamentImported
from apps.tournaments.exchange import document
from apps.tournaments.exchange.document import MAX_MATCHES, Document, refusal
from apps.tournaments.exchange.vetoes import between, made_again
from apps.tournaments.models import (
    Dispute,
    DisputeCause,
    Entry,
    Match,
    Member,
    Role,
    Stage,
    StageEntry,
    Station,
    Tournament,
)
from apps.tournaments.services.stages import MAX_STAGES, stage_settings
from apps.tournaments.services.stations import MAX_STATIONS
from apps.tournaments.services.tournaments import configure
from apps.tournaments.services.unit import Unit
from apps.tournaments.state import member_fields
from apps.tournaments.text import clean_line, clean_text
from engine.errors import EngineError
from engine.match_flow import MatchState
from engine.text import gettext as _

T = TypeVar("T")
Ids = Mapping[int | None, Any]  # of entries, by their numbers in the document

# What is not set by an organiser's form. No document has an invite code, which is a secret; a new one is made.
_STANDING = ("status", "check_in_closed", "match_minutes", "rest_minutes", "seeding", "draw_seed")
_PLACES = ("champion", "runner_up", "third_place")


def store(unit: Unit, given: Document) -> None:
    """
    Insert all rows of a document, whose parts agree, and make the person acting the organiser.

    Raises:
        BadRequest: a setting or a text that cannot be; `path` says which.
    """
    permissions.require(unit.action, unit.actor.user)
    if len(given.stages) > MAX_STAGES:
        raise refusal("stages", _("A tournament has at most {most} stages.", most=MAX_STAGES))
    if sum(len(stage.matches) for stage in given.stages) > MAX_MATCHES:
        raise refusal("stages", _("A tournament has at most {most} matches.", most=MAX_MATCHES))
    if len(given.stations) > MAX_STATIONS:
        raise refusal("stations", _("A tournament has at most {most} stations.", most=MAX_STATIONS))
    tournament = _tournament(unit, given.tournament)
    stations = {row.number: _station(tournament, i, row) for i, row in enumerate(given.stations)}
    station_changes = unit.create([*stations.values()])
    entries = {row.number: _entry(tournament, i, row) for i, row in enumerate(given.entries)}
    entry_changes = unit.create([*entries.values()])
    ids: Ids = {None: None, **{number: entry.pk for number, entry in entries.items()}}
    stages = [_stage(tournament, i, row) for i, row in enumerate(given.stages)]
    stage_changes = unit.create(stages)
    told = list(zip(stages, given.stages, strict=True))
    stage_entries = unit.create([_stage_entry(stage, row, entries) for stage, each in told for row in each.entries])
    matches = unit.create([_match(stage, row, ids, stations) for stage, each in told for row in each.matches])
    _disputes(unit, given, tournament)
    for place in _PLACES:
        setattr(tournament, f"{place}_id", ids[getattr(given.tournament, place)])
    unit.emit(
        TournamentImported(
            tournament=unit.save(tournament),
            stages=stage_changes,
            entries=entry_changes,
            stage_entries=stage_entries,
            matches=matches,
            stations=station_changes,
        )
    )
    member = Member.objects.create(tournament=tournament, user=unit.user, role=Role.ORGANIZER)
    unit.emit(MemberAdded(member=MemberChange(**member_fields(member))))


def _tournament(unit: Unit, given: document.Tournament) -> Tournament:
    settings = msgspec.structs.asdict(given)
    created_at = settings.pop("created_at") or unit.now
    standing = {name: settings.pop(name) for name in _STANDING}
    for place in _PLACES:
        del settings[place]
    tournament = Tournament(created_by=unit.user, created_at=created_at, **standing)
    try:
        configure(tournament, settings)
    except BadRequest as error:
        raise refusal(f"tournament.{error.data.get('field', '')}", error.text) from error
    tournament.save()
    log.create(tournament.stream)
    unit.adopt(tournament)
    return tournament


def _station(tournament: Tournament, index: int, given: document.Station) -> Station:
    name = _name(f"stations[{index}].name", given.name, at_most=40)
    return Station(tournament=tournament, name=name, order=given.order)


def _entry(tournament: Tournament, index: int, given: document.Entry) -> Entry:
    path = f"entries[{index}]"
    roster = [_name(f"{path}.roster[{i}]", name, at_most=150) for i, name in enumerate(given.roster)]
    return Entry(
        tournament=tournament,
        name=_name(f"{path}.name", given.name, at_most=60),
        status=given.status,
        seed=given.seed,
        roster=[{"user": None, "name": name} for name in roster],
        checked_in_at=given.checked_in_at,
        waitlisted_at=given.waitlisted_at,
        claim_by=given.claim_by,
        created_at=given.created_at or tournament.created_at,
    )


def _stage(tournament: Tournament, index: int, given: document.Stage) -> Stage:
    path = f"stages[{index}]"
    name = _said(f"{path}.name", lambda: clean_line("name", given.name, at_most=60))
    stage = Stage(tournament=tournament, number=given.number, name=name, format=given.format, state=given.state)
    stage.options = _said(f"{path}.settings", lambda: stage_settings(given.format, dict(given.settings)))
    return stage


def _stage_entry(stage: Stage, given: document.StageEntry, entries: Mapping[int, Entry]) -> StageEntry:
    fields = msgspec.structs.asdict(given)
    return StageEntry(stage=stage, **fields | {"entry": entries[given.entry]})


def _match(stage: Stage, given: document.Match, ids: Ids, stations: Mapping[int, Station]) -> Match:
    fields = msgspec.structs.asdict(given)
    for name in ("home", "away", "winner"):
        fields[f"{name}_id"] = ids[fields.pop(name)]
    for name in ("winner_to", "loser_to"):
        place: document.Place | None = fields[name]
        fields[name] = place and place.match
        fields[f"{name}_side"] = place.side if place else ""
    for name in ("report", "counter_report"):
        report: document.Report | None = fields[name]
        fields[name] = report and report.score().fields()
    fields["games"] = given.score().fields()["games"]
    fields["kept"] = [_kept(kept, ids) for kept in given.kept]
    if given.veto is not None:
        fields["veto"] = between(made_again(given.veto), ids[given.veto.home], ids[given.veto.away])
        fields["veto_seed"] = given.veto.seed
    for name in ("reported_by", "reason", "sends_on"):
        fields[name] = fields[name] or ""
    fields["station"] = None if given.station is None else stations[given.station]
    return Match(tournament_id=stage.tournament_id, stage=stage, **fields)


def _kept(given: document.KeptResult, ids: Ids) -> dict[str, Any]:
    who = {name: ids[getattr(given, name)] for name in ("home", "away", "winner")}
    return {**who, "reason": given.reason, **given.score().fields()}


def _disputes(unit: Unit, given: Document, tournament: Tournament) -> None:
    """Insert the disputes. A disputed match has one, also when the document comes from somebody who sees none."""
    matches = {(match.stage.number, match.number): match for match in tournament.matches.select_related("stage")}
    rows = [
        Dispute(
            match=matches[dispute.stage, dispute.match],
            opened_by=dispute.opened_by or "",
            cause=dispute.cause,
            text=_text(f"disputes[{i}].text", dispute.text),
            ruling=_text(f"disputes[{i}].ruling", dispute.ruling),
            opened_at=dispute.opened_at,
            resolved_at=dispute.resolved_at,
        )
        for i, dispute in enumerate(given.disputes)
    ]
    known = {row.match_id for row in rows if row.resolved_at is None}
    rows += [
        Dispute(match=match, opened_at=unit.now, cause=DisputeCause.SCORE if match.report else DisputeCause.OTHER)
        for match in matches.values()
        if match.state == MatchState.DISPUTED and match.pk not in known
    ]
    Dispute.objects.bulk_create(rows)


def _name(path: str, name: str, *, at_most: int) -> str:
    return _said(path, lambda: clean_line("name", name, at_most=at_most, required=True))


def _text(path: str, text: str) -> str:
    return _said(path, lambda: clean_text("text", text, at_most=2000))


def _said(path: str, read: Callable[[], T]) -> T:
    """Return what a reader makes of a part of the document; its refusal gets the path of the part."""
    try:
        return read()
    except BadRequest as error:
        raise refusal(path, error.text) from error
    except EngineError as error:
        raise refusal(path, error.text) from error
