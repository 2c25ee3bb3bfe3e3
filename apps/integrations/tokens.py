"""API tokens, as a person makes them: accounts keep them, and know of no tournaments."""

from collections.abc import Collection
from datetime import datetime

import structlog

from apps.accounts import api_tokens
from apps.accounts.models import ApiToken, User
from apps.tournaments.models import Tournament
from apps.tournaments.selectors import lists
from apps.tournaments.text import clean_line

logger = structlog.get_logger(__name__)


def create(
    user: User,
    *,
    name: str,
    scopes: Collection[str],
    tournament: int | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """
    Make a token of the person's and return it with what its holder sends.

    Raises:
        BadRequest, Conflict: see api_tokens.create.
        NotFound: no such tournament.
    """
    if tournament is not None:
        lists.tournament_for(user, tournament)
    clean = clean_line("name", name, at_most=60, required=True)
    row, token = api_tokens.create(user, name=clean, scopes=scopes, tournament=tournament, expires_at=expires_at)
    logger.info("api_token_created", user=user.pk, api_token=row.pk, scopes=row.scopes)
    return row, token


def tournament_names(tokens: Collection[ApiToken]) -> dict[int, str]:
    """Return the names of the tournaments for which tokens are. One query."""
    ids = [token.tournament for token in tokens if token.tournament is not None]
    return dict(Tournament.objects.filter(pk__in=ids).values_list("pk", "name"))
