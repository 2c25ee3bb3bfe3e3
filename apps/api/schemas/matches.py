"""Matches: places in the bracket, scores, results."""

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from apps.api.schemas.common import Input, Page, Points, Seq, ShortText, Time, TournamentRef, Version
from apps.api.schemas.entries import Entry
from apps.api.schemas.veto import Veto
from engine.bracket import Bracket, Side
from engine.match_flow import MatchState, Reason


class Report(BaseModel):
    """A result that one side stated and the other has not confirmed."""

    home_score: int
    away_score: int
    home_shootout: int | None
    away_shootout: int | None


class Match(BaseModel):
    id: int
    stage: int
    number: int = Field(description="In the order of play, from 1.")
    bracket: Bracket
    round: int
    position: int = Field(description="Downwards within the round, from 1.")
    state: MatchState
    home: int | None = Field(description="An entry; null while it is not known.")
    away: int | None
    home_closed: bool = Field(description="Nobody will come to this side.")
    away_closed: bool
    home_score: int
    away_score: int
    home_shootout: int | None
    away_shootout: int | None
    reported_by: Side | None
    report: Report | None
    winner: int | None = Field(description="An entry.")
    reason: Reason | None
    winner_to: int | None = Field(description="The number of the match that the winner goes to.")
    winner_to_side: Side | None
    loser_to: int | None
    loser_to_side: Side | None
    veto: Veto | None
    veto_deadline_at: Time | None = Field(description="When chance chooses for whoever's turn it is.")
    version: int = Field(description="Counts the changes of this match; see `expected_version`.")
    started_at: Time | None
    completed_at: Time | None


class MatchDetail(Match):
    tournament: TournamentRef
    home_entry: Entry | None
    away_entry: Entry | None


class MatchPage(Page[Match]):
    pass


class MatchDetailPage(Page[MatchDetail]):
    pass


class MatchAnswer(BaseModel):
    seq: Seq
    match: Match


class OnMatch(Input):
    expected_version: Version | None = None


class WithScore(OnMatch):
    """The score as it stands, never a difference. A shootout decides a level score, and has a number for both sides."""

    home_score: Points
    away_score: Points
    home_shootout: Points | None = None
    away_shootout: Points | None = None


class WithOptionalScore(OnMatch):
    """Without a score the reported one counts, else the one that stands."""

    home_score: Points | None = None
    away_score: Points | None = None
    home_shootout: Points | None = None
    away_shootout: Points | None = None

    @model_validator(mode="after")
    def _whole(self) -> "WithOptionalScore":
        shootout = self.home_shootout is not None or self.away_shootout is not None
        if (self.home_score is None) != (self.away_score is None) or (shootout and self.home_score is None):
            kind, message = "score", "A score has a number for both sides"
            raise PydanticCustomError(kind, message)
        return self


class WithWinner(OnMatch):
    winner: Side = Field(strict=False)


class WithLoser(OnMatch):
    loser: Side = Field(strict=False)


class WithOption(OnMatch):
    option: ShortText = Field(description="One of `turn.options` of the match's veto.")
