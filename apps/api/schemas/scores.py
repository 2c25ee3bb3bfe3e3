"""What a match ended with: the numbers of both sides, or the scores of its games."""

from typing import Any

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from apps.api.schemas.common import Input, Points
from engine.match_flow import MAX_GAMES, MAX_POINTS, Reason
from engine.text import gettext_noop as _


class Game(BaseModel):
    """One game of a best-of-N."""

    home: int = Field(ge=0, le=MAX_POINTS)
    away: int = Field(ge=0, le=MAX_POINTS)


class Report(BaseModel):
    """A result that one side stated and the other has not confirmed."""

    home_score: int
    away_score: int
    home_shootout: int | None
    away_shootout: int | None
    games: list[Game]


class KeptResult(Report):
    """A result that a reopening took away from `home` against `away`, offered when the two meet here again."""

    home: int = Field(description="An entry, as are `away` and `winner`.")
    away: int
    winner: int | None
    reason: Reason


class GamePoints(Input):
    """One game of a best-of-N."""

    home: Points
    away: Points


def _needs_numbers(schema: dict[str, Any]) -> None:
    schema["anyOf"] = [{"required": ["home_score", "away_score"]}, {"required": ["games"]}]


class OptionalScore(Input):
    """
    Numbers for both sides, or in a best-of-N the `games`, whose winners are then counted.

    A shootout decides a level score, and has a number for both sides.
    """

    home_score: Points | None = None
    away_score: Points | None = None
    home_shootout: Points | None = None
    away_shootout: Points | None = None
    games: list[GamePoints] = Field(default=[], max_length=MAX_GAMES)

    @property
    def is_given(self) -> bool:
        return self.home_score is not None or bool(self.games)

    @model_validator(mode="after")
    def _whole(self) -> "OptionalScore":
        shootout = self.home_shootout is not None or self.away_shootout is not None
        if (self.home_score is None) != (self.away_score is None) or (shootout and self.home_score is None):
            kind, message = "score", _("A score has a number for both sides")
            raise PydanticCustomError(kind, message)
        return self


class Score(OptionalScore):
    """
    The score as it stands, never a difference: numbers for both sides, or in a best-of-N the `games`, whose winners are
    then counted.

    A shootout decides a level score, and has a number for both sides.
    """

    model_config = {"json_schema_extra": _needs_numbers}

    @model_validator(mode="after")
    def _given(self) -> "Score":
        if not self.is_given:
            kind, message = "score", _("A score has a number for both sides, or a list of games")
            raise PydanticCustomError(kind, message)
        return self
