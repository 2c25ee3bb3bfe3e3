"""Matches: places in the bracket, scores, results."""

from typing import Literal

from pydantic import BaseModel, Field

from apps.api.schemas.common import Input, LongText, Page, Seq, ShortText, Time, TournamentRef, Version
from apps.api.schemas.entries import Entry
from apps.api.schemas.scores import Game, KeptResult, OptionalScore, Report, Score
from apps.api.schemas.veto import Veto
from engine.bracket import Bracket, Side
from engine.match_flow import MatchState, Reason


class Match(BaseModel):
    id: int
    stage: int
    number: int = Field(description="In the order of play, from 1.")
    bracket: Bracket
    round: int
    position: int = Field(description="Downwards within the round, from 1.")
    group: int = Field(description="From 1 in a stage with groups, else 0.")
    best_of: int = Field(description="How many games are played at most; above 1 the scores count games won.")
    state: MatchState
    home: int | None = Field(description="An entry; null while it is not known.")
    away: int | None
    home_closed: bool = Field(description="Nobody will come to this side.")
    away_closed: bool
    home_score: int
    away_score: int
    home_shootout: int | None
    away_shootout: int | None
    games: list[Game]
    home_checked_in: bool
    away_checked_in: bool
    reported_by: Side | None
    report: Report | None = Field(description="What `reported_by` stated.")
    counter_report: Report | None = Field(description="What the other side stated instead.")
    winner: int | None = Field(description="An entry; null for a draw, and when both lost.")
    reason: Reason | None
    winner_to: int | None = Field(description="The number of the match that the winner goes to.")
    winner_to_side: Side | None
    loser_to: int | None
    loser_to_side: Side | None
    sends_on: Side | None = Field(description="Winner and loser move on only when this side wins.")
    kept: list[KeptResult]
    deadline_at: Time | None = Field(description="When check-in ends, or the report counts without an answer.")
    station: int | None
    scheduled_at: Time | None
    called_at: Time | None
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


class WithScore(Score, OnMatch):
    pass


class WithOptionalScore(OptionalScore, OnMatch):
    """Without a score the reported one counts, else the one that stands."""

    ruling: LongText = Field(default="", description="Why, when this decides a dispute.")


class WithWinner(OnMatch):
    winner: Side = Field(strict=False)


class WithLoser(OnMatch):
    loser: Literal["home", "away", "both"]
    ruling: LongText = Field(default="", description="Why, when this decides a dispute.")


class WithSide(OnMatch):
    side: Side | None = Field(default=None, strict=False, description="For the staff; a player acts for their own.")


class WithOption(OnMatch):
    option: ShortText = Field(description="One of `turn.options` of the match's veto.")
