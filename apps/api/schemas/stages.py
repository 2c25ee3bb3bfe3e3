"""Stages: how they are played, who takes part in them, how everybody stands."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from apps.api.schemas.common import ABSENT, Input, Seq, ShortText
from apps.api.schemas.veto import VetoRules, VetoSettings
from apps.tournaments.models import StageState
from engine.bracket import MAX_ENTRANTS
from engine.groups import Seating
from engine.stages import MAX_BEST_OF, MAX_GROUPS, MAX_POINTS, MAX_ROUNDS, ROUND_KEY, RULE_YEARS, Format
from engine.text import gettext_noop as _
from engine.tiebreaks import TIED, Measure

_TIE_BREAK = rf"^({TIED})?({'|'.join(Measure)})$"
_MAX_TIE_BREAKS = 20


class StagePoints(BaseModel):
    """What a match is worth in a league."""

    win: float
    draw: float
    loss: float
    bye: float


class Stage(BaseModel):
    """One part of a tournament, played in one format; settings of other formats have no effect."""

    id: int
    number: int
    name: str
    format: Format
    state: StageState
    third_place_match: bool
    grand_final_reset: bool
    groups: int
    legs: int = Field(description="How often each pair meets in a round robin.")
    rounds: int = Field(description="Of a Swiss; 0: as many as one unbeaten entrant needs.")
    ends_at_wins: int = Field(description="An entrant's Swiss ends with so many wins; 0: it does not.")
    ends_at_losses: int
    points: StagePoints
    tie_breaks: list[str] = Field(description="The most important first; empty: as usual for the format.")
    rule_year: int = Field(description="Whose FIDE rules evaluate unplayed rounds.")
    best_of: int
    best_of_rounds: dict[str, int] = Field(description='For example {"final": 5, "lower 3": 5}.')
    advance: int = Field(description="How many of each group go on to the next stage; 0: all.")
    advance_rest: int = Field(description="How many of the best that come right after them in all groups.")
    seating: Seating = Field(description="How an elimination seats those who come from groups.")
    veto: VetoSettings = Field(description="What sides pick and ban before a match.")


class StageEntry(BaseModel):
    """One entrant of one stage."""

    id: int
    stage: int
    entry: int
    seed: int
    group: int
    lot: int = Field(description="Drawn with the stage; decides when all else is level. The lowest wins.")
    byes: list[int] = Field(description="Rounds of a Swiss without an opponent.")
    annulled: bool = Field(description="Results do not count.")
    rank: int | None = Field(description="Known when the stage is over.")


class Worth(Input):
    """What a match is worth in a league, in halves."""

    win: float = Field(ge=0, le=MAX_POINTS, multiple_of=0.5)
    draw: float = Field(ge=0, le=MAX_POINTS, multiple_of=0.5)
    loss: float = Field(ge=0, le=MAX_POINTS, multiple_of=0.5)
    bye: float = Field(ge=0, le=MAX_POINTS, multiple_of=0.5)


def _by_round(value: Any) -> Any:
    """Check here what pydantic would refuse by naming the key, which is what the client sent."""
    if not isinstance(value, dict) or not all(
        ROUND_KEY.fullmatch(key) and type(best_of) is int and 1 <= best_of <= MAX_BEST_OF
        for key, best_of in value.items()
    ):
        kind, message = (
            "best_of_rounds",
            _(
                "Name rounds as final, semi_finals, grand_final, lower_final, third_place, 2, main 2 or lower 2, "
                "each with a number"
            ),
        )
        raise PydanticCustomError(kind, message)
    return value


_ROUNDS_SCHEMA = {
    "additionalProperties": {"type": "integer", "minimum": 1, "maximum": MAX_BEST_OF},
    "propertyNames": {"pattern": f"^({ROUND_KEY.pattern})$"},
}
BestOfRounds = Annotated[dict[str, int], BeforeValidator(_by_round), Field(json_schema_extra=_ROUNDS_SCHEMA)]
TieBreak = Annotated[str, Field(pattern=_TIE_BREAK)]


class StageSettings(Input):
    """How a stage is played; see the fields of `Stage`. What is absent is as usual, or stays as it is."""

    third_place_match: bool = ABSENT
    grand_final_reset: bool = ABSENT
    groups: Annotated[int, Field(ge=1, le=MAX_GROUPS)] = ABSENT
    legs: Annotated[int, Field(ge=1, le=2)] = ABSENT
    rounds: Annotated[int, Field(ge=0, le=MAX_ROUNDS)] = ABSENT
    ends_at_wins: Annotated[int, Field(ge=0, le=MAX_ROUNDS)] = ABSENT
    ends_at_losses: Annotated[int, Field(ge=0, le=MAX_ROUNDS)] = ABSENT
    points: Worth = ABSENT
    tie_breaks: Annotated[list[TieBreak], Field(max_length=_MAX_TIE_BREAKS)] = ABSENT
    rule_year: Annotated[int, Field(ge=min(RULE_YEARS), le=max(RULE_YEARS))] = ABSENT
    best_of: Annotated[int, Field(ge=1, le=MAX_BEST_OF)] = ABSENT
    best_of_rounds: BestOfRounds = ABSENT
    advance: Annotated[int, Field(ge=0, le=MAX_ENTRANTS)] = ABSENT
    advance_rest: Annotated[int, Field(ge=0, le=MAX_ENTRANTS)] = ABSENT
    seating: Annotated[Seating, Field(strict=False)] = ABSENT
    veto: VetoRules = ABSENT


class NewStage(StageSettings):
    format: Format = Field(strict=False)
    name: ShortText = ""


class StageChanges(StageSettings):
    """What is absent stays as it is."""

    format: Annotated[Format, Field(strict=False)] = ABSENT
    name: ShortText = ABSENT


class StageAnswer(BaseModel):
    seq: Seq
    stage: Stage


class Separation(BaseModel):
    """Why an entrant stands directly above another."""

    text: str = Field(examples=["above Ada by Buchholz Cut-1, 13.0 to 11.5"])
    other: int = Field(description="The entry below.")
    tie_break: str | None = Field(description="What separated them; null when they share a rank.")
    own: float
    others: float
    tied: int = Field(description="How many were level before.")
    among: list[int] = Field(description="The entries whose matches among themselves were counted; empty: all matches.")


class Record(BaseModel):
    """What an entrant has done in a league; `values` are what the tie-breaks compared."""

    played: int
    wins: int
    draws: int
    losses: int
    byes: int
    points: float
    scored: int
    conceded: int
    values: dict[str, float]


class StandingRow(BaseModel):
    rank: int | None = Field(description="In a bracket known when the stage is over.")
    entry: int
    name: str
    record: Record | None = Field(description="In a league.")
    reason: Separation | None


class Table(BaseModel):
    group: int
    rows: list[StandingRow]


class Standings(BaseModel):
    """How everybody stands, best first, with the reason of each separation."""

    stage: Stage
    tables: list[Table]
