"""
The database tables of brackets-manager.js, as they stand in its exports.

Source: brackets-model 1.11 (storage.ts, input.ts, other.ts). Fields without a use here are skipped; so is `status`,
because a match is decided when an opponent has a result or forfeited.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from apps.errors import BadRequest
from apps.tournaments.exchange import NAME_LENGTH
from apps.tournaments.exchange.decoding import decoded
from apps.tournaments.text import clean_line
from engine.bracket import MAX_ENTRANTS, MIN_ENTRANTS
from engine.stages import MAX_BEST_OF
from engine.text import gettext as _

# Databases number their rows or name them; a reference may be the other kind than the row, so all become text.
_Short = Annotated[str, msgspec.Meta(max_length=100)]
Id = int | _Short


class Participant(msgspec.Struct):
    id: Id
    name: str


class Settings(msgspec.Struct, rename="camel"):
    grand_final: str | None = None
    consolation_final: bool | None = None
    skip_first_round: bool | None = None
    round_robin_mode: str | None = None


class Stage(msgspec.Struct):
    id: Id
    type: _Short
    name: _Short = ""
    number: int = 1
    settings: Settings = msgspec.field(default_factory=Settings)


class Numbered(msgspec.Struct):
    """A group, numbered in its stage, or a round, numbered in its group."""

    id: Id
    number: int


class Opponent(msgspec.Struct):
    """A side of a match. Without `id` it waits for an earlier match; `position` is a seed in the first round."""

    id: Id | None = None
    position: int | None = None
    score: Annotated[int, msgspec.Meta(ge=0)] | None = None
    result: Literal["win", "draw", "loss"] | None = None
    forfeit: bool | None = None


class Match(msgspec.Struct):
    """A match. An opponent that is None is a bye; `child_count` is the games it has at most, 0 for a single one."""

    stage_id: Id
    group_id: Id
    round_id: Id
    number: int
    opponent1: Opponent | None
    opponent2: Opponent | None
    child_count: Annotated[int, msgspec.Meta(ge=0, le=MAX_BEST_OF)] = 0


class _File(msgspec.Struct):
    participant: list[Participant]
    stage: list[Stage]
    group: list[Numbered]
    round: list[Numbered]
    match: list[Match]


_SINGULAR = {"participants": "participant", "stages": "stage", "groups": "group", "rounds": "round", "matches": "match"}


class Tables:
    """
    A whole file: `names` by participant, and `stages` in order.

    Raises:
        BadRequest: it is no such file, or a row refers to one that is missing.
    """

    def __init__(self, data: bytes) -> None:
        file = _decoded(data)
        self.names = _names(file.participant)
        self.stages = sorted(file.stage, key=lambda stage: stage.number)
        self._numbers = {
            kind: {str(row.id): row.number for row in rows}
            for kind, rows in (("group", file.group), ("round", file.round))
        }
        self._matches: defaultdict[str, list[Match]] = defaultdict(list)
        for match in file.match:
            self._matches[str(match.stage_id)].append(match)

    def matches_of(self, stage: Stage) -> list[Match]:
        return self._matches[str(stage.id)]

    def group(self, match: Match) -> int:
        return self._number("group", match.group_id)

    def round(self, match: Match) -> int:
        return self._number("round", match.round_id)

    def name(self, opponent: Opponent) -> str | None:
        """Return who it is; None where that is not known yet."""
        if opponent.id is None:
            return None
        if str(opponent.id) not in self.names:
            raise _missing("participant", opponent.id)
        return self.names[str(opponent.id)]

    def _number(self, kind: str, id_: Id) -> int:
        if str(id_) not in self._numbers[kind]:
            raise _missing(kind, id_)
        return self._numbers[kind][str(id_)]


def _decoded(data: bytes) -> _File:
    try:
        tables = msgspec.json.decode(decoded(data), type=dict[str, Any])
        return msgspec.convert({_SINGULAR.get(name, name): rows for name, rows in tables.items()}, _File)
    except (msgspec.MsgspecError, RecursionError) as error:
        message = _(
            "This is not a file of brackets-manager ({error}). Send what its export() gives, as JSON.", error=error
        )
        raise BadRequest(message, field="file") from None


def _names(participants: Sequence[Participant]) -> dict[str, str]:
    names: dict[str, str] = {}
    taken: set[str] = set()
    for participant in participants:
        try:
            name = clean_line("name", participant.name, at_most=NAME_LENGTH, required=True)
        except BadRequest as error:
            message = _("Participant {id}: {message}", id=participant.id, message=error.text)
            raise BadRequest(message, field="file") from None
        if name.casefold() in taken:
            raise BadRequest(_("Two participants are called “{name}”. Give one another name.", name=name), field="file")
        taken.add(name.casefold())
        names[str(participant.id)] = name
    if not MIN_ENTRANTS <= len(names) <= MAX_ENTRANTS:
        message = _(
            "The file has {count} participants; it can be from {least} to {most}.",
            count=len(names),
            least=MIN_ENTRANTS,
            most=MAX_ENTRANTS,
        )
        raise BadRequest(message, field="file")
    return names


def _missing(kind: str, id_: Id) -> BadRequest:
    message = _(
        "A match names the {kind} {id}, which is not in the file. Export the whole database of the tournament.",
        kind=kind,
        id=id_,
    )
    return BadRequest(message, field="file")
