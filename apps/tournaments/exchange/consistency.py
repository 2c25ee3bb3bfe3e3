"""
Whether the parts of a document agree with each other, as those of a tournament that was played here do.

Pure, and about the document alone: settings and texts are checked where they are stored. The first thing that does
not fit is refused with its path, as in "stages[0].matches[3].winner".
"""

from datetime import datetime

import msgspec

from apps.tournaments.exchange.document import YEARS, Document, refusal
from apps.tournaments.exchange.stage_consistency import check_stage, unique
from apps.tournaments.labels import words
from engine.match_flow import BEGUN, OVER
from engine.text import gettext as _

ACTIVE = ("pending", "confirmed", "waitlisted", "offered")
BEFORE_PLAY = ("draft", "published", "registration_open", "registration_closed")


def check(document: Document) -> None:
    """
    Pass a document whose parts agree.

    Raises:
        BadRequest: the first that do not; `path` says where.

    Cost: proportional to the document.
    """
    _times(document, "")
    _entries(document)
    unique("stations", "number", (station.number for station in document.stations))
    unique("stations", "name", (station.name.lower() for station in document.stations))
    entries = {entry.number for entry in document.entries}
    stations = {station.number for station in document.stations}
    for index, stage in enumerate(document.stages):
        path = f"stages[{index}]"
        if stage.number != index + 1:
            raise refusal(f"{path}.number", _("Stages are numbered in order: this is {number}.", number=index + 1))
        check_stage(path, stage, entries, stations)
        if index and stage.state != "pending" and document.stages[index - 1].state != "completed":
            raise refusal(
                f"{path}.state", _("The stage is drawn, and stage {index} before it is not over.", index=index)
            )
    _tournament(document)
    _disputes(document)


def _times(part: msgspec.Struct, path: str) -> None:
    """Pass times that every database and zone can hold."""
    for name in part.__struct_fields__:
        value, at = getattr(part, name), f"{path}.{name}" if path else name
        if isinstance(value, datetime):
            if value.year not in YEARS:
                raise refusal(at, _("A time is in the years {first} to {last}.", first=YEARS[0], last=YEARS[-1]))
        elif isinstance(value, msgspec.Struct):
            _times(value, at)
        elif isinstance(value, list):
            for index, each in enumerate(value):
                if isinstance(each, msgspec.Struct):
                    _times(each, f"{at}[{index}]")


def _entries(document: Document) -> None:
    unique("entries", "number", (entry.number for entry in document.entries))
    taken: dict[str, int] = {}
    for index, entry in enumerate(document.entries):
        name = entry.name.lower()
        if entry.status in ACTIVE and taken.setdefault(name, index) != index:
            raise refusal(
                f"entries[{index}].name",
                _("It is the same as in entries[{index}], who takes part too.", index=taken[name]),
            )
        if entry.status == "offered" and entry.claim_by is None:
            raise refusal(f"entries[{index}].claim_by", _("A place is offered until a time."))
    confirmed = sum(entry.status == "confirmed" for entry in document.entries)
    if confirmed > document.tournament.capacity:
        raise refusal(
            "tournament.capacity", _("{confirmed} entrants are confirmed, which is more.", confirmed=confirmed)
        )


def _tournament(document: Document) -> None:
    tournament, stages = document.tournament, document.stages
    states = [stage.state for stage in stages]
    path, status = "tournament.status", tournament.status
    if status == "completed" and set(states) != {"completed"}:
        raise refusal(path, _("The tournament is completed, and a stage is not."))
    if status == "live" and states[0] == "pending":
        raise refusal(path, _("The tournament is live, and its first stage is not drawn."))
    if status in BEFORE_PLAY:
        for index, stage in enumerate(stages):
            if any(match.state in BEGUN or match.state in OVER for match in stage.matches):
                raise refusal(
                    path,
                    _(
                        "The tournament is {status}, and stages[{index}] has begun.",
                        status=words(status),
                        index=index,
                    ),
                )
    ranks = {row.entry: row.rank for row in stages[-1].entries}
    for rank, place in enumerate(("champion", "runner_up", "third_place"), start=1):
        entry = getattr(tournament, place)
        if entry is not None and (status != "completed" or ranks.get(entry) != rank):
            raise refusal(
                f"tournament.{place}",
                _("Entry {entry} has not become number {rank} of the last stage.", entry=entry, rank=rank),
            )


def _disputes(document: Document) -> None:
    known = {(stage.number, match.number) for stage in document.stages for match in stage.matches}
    open_: set[tuple[int, int]] = set()
    for index, dispute in enumerate(document.disputes):
        about = dispute.stage, dispute.match
        if about not in known:
            raise refusal(
                f"disputes[{index}].match",
                _("Stage {stage} has no match {match}.", stage=dispute.stage, match=dispute.match),
            )
        if dispute.resolved_at is None:
            if about in open_:
                raise refusal(f"disputes[{index}]", _("Another dispute about this match is open too."))
            open_.add(about)
