"""How strong people and teams are. Every function says how many queries it costs."""

from collections.abc import Iterable

from django.db.models import F, Q, QuerySet

from apps.accounts.models import User
from apps.errors import BadRequest
from apps.tournaments.models import Entry, Rating, TeamMember
from engine.ratings import Rating as Strength
from engine.text import gettext as _


def ratings_in(game: str) -> QuerySet[Rating]:
    """Return the ratings of a game by their ordinals (engine.ratings.Rating), best first. One query."""
    return _rows().filter(game=game).order_by((F("mu") - 3 * F("sigma")).desc(), "pk")


def ratings_of(user: User) -> list[Rating]:
    """Return the ratings of a person, then those of their teams, by game. One query."""
    teams = TeamMember.objects.filter(user=user, joined_at__isnull=False, team__disbanded_at=None).values("team")
    found = _rows().filter(Q(user=user) | Q(team__in=teams))
    return list(found.order_by(F("team__name").asc(nulls_first=True), "game"))


def ordinal(row: Rating) -> float:
    """Return what a strength very likely exceeds, which is what a rating is worth."""
    return Strength(row.mu, row.sigma, row.matches).ordinal


def strongest_first(game: str, entries: Iterable[Entry]) -> list[Entry]:
    """
    Return entrants by their ordinals, best first; who has no rating comes last, in the order given. One query.

    Raises:
        BadRequest: it is not known which game's ratings count.
    """
    if not game:
        message = _(
            "Ratings are kept for each game. Say in the settings which one is played here, then seed by rating."
        )
        raise BadRequest(message, field="game")
    given = list(entries)
    users = [entry.user_id for entry in given if entry.team_id is None]
    teams = [entry.team_id for entry in given if entry.team_id is not None]
    found = Rating.objects.filter(Q(user__in=users) | Q(team__in=teams), game=game)
    worth = {(row.user_id, row.team_id): ordinal(row) for row in found}

    def strength(entry: Entry) -> float:
        owner = (None, entry.team_id) if entry.team_id is not None else (entry.user_id, None)
        return worth.get(owner, float("-inf"))

    return sorted(given, key=strength, reverse=True)


def _rows() -> QuerySet[Rating]:
    return Rating.objects.select_related("user", "team")
