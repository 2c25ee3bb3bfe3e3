"""Pick and ban: what two sides choose from, and what they chose."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from apps.api.schemas.common import ABSENT, Input, ShortText
from engine.bracket import Side
from engine.match_flow import MAX_GAMES
from engine.text import gettext_noop as _
from engine.veto_script import MAX_POOL, MAX_SECONDS, MAX_TEXT, Act


class VetoMove(BaseModel):
    act: Act
    side: Side | None = Field(description="Null for the decider, which is what was left.")
    option: str
    drawn: bool = Field(description="Time was up, and chance chose for that side.")


class VetoTurn(BaseModel):
    act: Act
    side: Side
    options: list[str] = Field(description="What can be chosen now.")


class VetoGame(BaseModel):
    option: str = Field(description="What it is played on.")
    picked_by: Side | None = Field(description="Null for the decider.")
    home_side: str | None
    away_side: str | None


class Veto(BaseModel):
    """How the two of a match settle what its games are played on. docs/veto.md says how to check what was chance."""

    home: int = Field(description="The entries that it is between.")
    away: int
    script: str
    pool: list[str]
    sides: list[str]
    seed_hash: str = Field(description="SHA-256 of `seed`, known from the start.")
    seed: str | None = Field(description="Known at the end.")
    coin: Literal["heads", "tails"] | None = Field(description="Known after the toss.")
    first: Side | None = Field(description="Who is 1 in the script.")
    moves: list[VetoMove]
    turn: VetoTurn | None = Field(description="Null when it is over.")
    games: list[VetoGame] = Field(description="Settled so far, in the order of play.")


class VetoSettings(BaseModel):
    """How the matches of a stage settle what their games are played on."""

    pool: list[str] = Field(description="Maps, stages or characters; empty: there is no veto.")
    scripts: dict[str, str] = Field(
        description='By best-of, for example {"3": "1 ban, 2 ban, 1 pick, 2 pick, decider"}; absent: the usual one.'
    )
    seconds: int = Field(description="For each step, after which chance chooses; 0: no limit.")
    sides: list[str] = Field(description="The two of a game.")


def _by_best_of(value: Any) -> Any:
    """Check here what pydantic would refuse by naming the key, which is what the client sent."""
    known = {str(number) for number in range(1, MAX_GAMES + 1)}
    if not isinstance(value, dict) or not all(
        key in known and isinstance(text, str) and len(text) <= MAX_TEXT for key, text in value.items()
    ):
        kind, message = "scripts", _("Give scripts by best-of, at most {number}, each as text").format(number=MAX_GAMES)
        raise PydanticCustomError(kind, message)
    return value


_SCRIPTS = {
    "additionalProperties": {"type": "string", "maxLength": MAX_TEXT},
    "propertyNames": {"pattern": "^([1-9]|1[0-9]|2[01])$"},
}
Scripts = Annotated[dict[str, str], BeforeValidator(_by_best_of), Field(json_schema_extra=_SCRIPTS)]


class VetoRules(Input):
    """See `VetoSettings`. What is absent is as usual."""

    pool: Annotated[list[ShortText], Field(max_length=MAX_POOL)] = []
    scripts: Scripts = {}
    seconds: Annotated[int, Field(ge=0, le=MAX_SECONDS)] = ABSENT
    sides: Annotated[list[ShortText], Field(min_length=2, max_length=2)] = ABSENT
