"""The person who is asking: profile, own matches, own entries."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from ninja import Query, Router

from apps.accounts import services
from apps.accounts.models import User
from apps.api import schemas
from apps.api.auth import IN_PERSON, user
from apps.api.details import match_detail, my_entry, my_team
from apps.api.pagination import page
from apps.api.params import Window
from apps.tournaments.selectors import lists
from apps.tournaments.selectors import teams as selectors
from apps.tournaments.text import clean_line

router = Router(tags=["me"])
Answer = dict[str, Any]
Row = TypeVar("Row", bound=Model)


@router.get("", auth=IN_PERSON, response=schemas.Profile, operation_id="getProfile", summary="Your profile")
def get(request: HttpRequest) -> Answer:
    return _profile(user(request))


@router.patch("", auth=IN_PERSON, response=schemas.Profile, operation_id="editProfile", summary="Change your profile")
def edit(request: HttpRequest, body: schemas.ProfileChanges) -> Answer:
    changes = body.model_dump(exclude_unset=True)
    names = {field: clean_line(field, name, at_most=150) for field, name in changes.items()}
    return _profile(services.edit_profile(user(request), **names))


@router.get(
    "/matches",
    response=schemas.MatchDetailPage,
    operation_id="listMyMatches",
    summary="Your matches that are not over, those you can play now first",
)
def my_matches(request: HttpRequest, window: Query[Window]) -> Answer:
    return page(_covered(lists.my_open_matches(user(request)), request), window, match_detail)


@router.get(
    "/entries",
    response=schemas.MyEntryPage,
    operation_id="listMyEntries",
    summary="Where you take part or wait, newest first",
)
def my_entries(request: HttpRequest, window: Query[Window]) -> Answer:
    return page(_covered(lists.my_entries(user(request)), request), window, my_entry)


def _covered(found: QuerySet[Row], request: HttpRequest) -> QuerySet[Row]:
    """Return of one's matches or entries those that a token for one tournament is about."""
    grant = user(request).grant
    return found if grant is None or grant.tournament is None else found.filter(tournament=grant.tournament)


@router.get(
    "/teams",
    response=schemas.MyTeamPage,
    operation_id="listMyTeams",
    summary="The teams that you are in or invited to, by name",
)
def my_teams(request: HttpRequest, window: Query[Window]) -> Answer:
    me = user(request)
    return page(selectors.my_teams(me), window, lambda team: my_team(team, me))


def _profile(person: User) -> Answer:
    fields = ("username", "email", "first_name", "last_name")
    return {"id": person.pk, **{field: getattr(person, field) for field in fields}}
