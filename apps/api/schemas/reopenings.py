"""Results taken back: what that would undo, and how it was done."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from apps.api.schemas.common import Input
from apps.api.schemas.matches import Match, MatchAnswer
from apps.api.schemas.scores import Score
from engine.bracket import Side
from engine.match_flow import MAX_GAMES, MAX_POINTS

GameText = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,3}-[0-9]{1,3}$")]
Number = Annotated[int | None, Field(ge=0, le=MAX_POINTS)]


class Correction(BaseModel):
    """The score to set in the place of the present one; nothing: the match is to be played again."""

    home_score: Number = None
    away_score: Number = None
    home_shootout: Number = None
    away_shootout: Number = None
    games: list[GameText] = Field(default=[], max_length=MAX_GAMES, examples=[["13-7", "9-13", "13-11"]])


class Leaving(BaseModel):
    """A place that becomes empty, or goes to somebody else."""

    match: int
    side: Side
    entry: int


class Reopening(BaseModel):
    """What taking a result back would change besides."""

    match: Match = Field(description="As it stands now, as are `voided`.")
    voided: list[Match] = Field(description="Later matches that lose a result or a score.")
    live: list[int] = Field(description="Those of them that are being played.")
    leaving: list[Leaving]
    withdrawn: list[int] = Field(description="Later stages whose draw is taken back, with all their matches.")
    token: str = Field(description="Names exactly this; `reopen` is carried out only for it.")


class Reopen(Input):
    token: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[0-9a-f]+$")]
    score: Score | None = Field(default=None, description="The same as in the preview.")


class ReopenAnswer(MatchAnswer):
    reopening: int = Field(description="For `POST /reopenings/{id}/undo`.")
