"""Ratings: how strong people and teams are in a game."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, Field

from apps.api import schemas
from apps.api.auth import ANYBODY, user
from apps.api.details import rating_detail
from apps.api.pagination import page
from apps.api.params import Window
from apps.tournaments.selectors import ratings

router = Router(tags=["ratings"])
Answer = dict[str, Any]


class RatedGame(BaseModel):
    game: str = Field(min_length=1, max_length=60, pattern=r"^[^\x00]*$", description="As tournaments name it.")


@router.get(
    "/ratings",
    auth=ANYBODY,
    response=schemas.RatingPage,
    operation_id="listRatings",
    summary="Who is strong in a game, best first",
    description="From the results of rated tournaments; names without an account have no rating.",
)
def list_ratings(request: HttpRequest, game: Query[RatedGame], window: Query[Window]) -> Answer:
    return page(ratings.ratings_in(game.game), window, rating_detail)


@router.get(
    "/me/ratings",
    response=list[schemas.Rating],
    operation_id="listMyRatings",
    summary="Your ratings, then those of your teams",
)
def my_ratings(request: HttpRequest) -> list[Answer]:
    return [rating_detail(row) for row in ratings.ratings_of(user(request))]
