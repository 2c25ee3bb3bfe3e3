"""Ratings of people and teams."""

from pydantic import BaseModel, Field

from apps.api.schemas.common import Page


class Rating(BaseModel):
    game: str
    username: str | None = Field(description="Whose it is; null for a team's.")
    team: int | None
    team_name: str | None
    mu: float = Field(description="The strength, as it is believed to be.")
    sigma: float = Field(description="Give or take so much.")
    ordinal: float = Field(description="mu - 3 sigma, which the strength very likely exceeds. The order is by it.")
    matches: int = Field(description="How many it comes from.")


class RatingPage(Page[Rating]):
    pass
