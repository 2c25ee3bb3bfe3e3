"""
Ratings of players and teams, per game, from the results of rated tournaments.

A result that comes last is folded into what is there. Whenever results change that others came after, all of the game
is folded again, so a rating never depends on what has been undone.
"""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from apps.tournaments.models import Entry, Match, Rating
from engine.match_flow import MatchState, Reason
from engine.ratings import RatedMatch, fold_ratings
from engine.ratings import Rating as Strength

# "user:5" or "team:3": one name for whatever is rated.
Rated = str


def rate(match: Match) -> None:
    """Fold in a match that has just been completed. Three queries, and one for each of the two who are new."""
    game = match.tournament.game
    played = _as_rated(match)
    if not game or played is None:
        return
    rows = {_name_of(row): row for row in _of(game, (played.home, played.away)).select_for_update().order_by("pk")}
    before = {name: Strength(row.mu, row.sigma, row.matches) for name, row in rows.items()}
    _store(game, fold_ratings([played], before), rows)


def recompute(game: str) -> int:
    """Fold all results of a game again and return how many there were. Cost: O(matches), about 50 µs each."""
    if not game:
        return 0
    rows = {_name_of(row): row for row in Rating.objects.filter(game=game).select_for_update().order_by("pk")}
    played = [rated for match in _rated_matches(game).iterator() if (rated := _as_rated(match)) is not None]
    ratings = fold_ratings(played)
    _store(game, ratings, rows)
    Rating.objects.filter(pk__in=[row.pk for name, row in rows.items() if name not in ratings]).delete()
    return len(played)


def _rated_matches(game: str) -> QuerySet[Match]:
    played = Match.objects.filter(
        tournament__game=game, tournament__rated=True, state=MatchState.COMPLETED, reason=Reason.PLAYED
    )
    return played.select_related("home", "away").order_by("completed_at", "pk")


def _as_rated(match: Match) -> RatedMatch[Rated] | None:
    """Return what a match says about strength; None when a name without an account played in it."""
    names = {entry.pk: _name(entry) for entry in (match.home, match.away) if entry is not None}
    home, away = names.get(match.home_id or 0), names.get(match.away_id or 0)
    if home is None or away is None:
        return None
    return RatedMatch(home, away, None if match.winner_id is None else names[match.winner_id])


def _name(entry: Entry) -> Rated | None:
    if entry.team_id is not None:
        return f"team:{entry.team_id}"
    return None if entry.user_id is None else f"user:{entry.user_id}"


def _name_of(row: Rating) -> Rated:
    return f"user:{row.user_id}" if row.team_id is None else f"team:{row.team_id}"


def _of(game: str, names: Iterable[Rated]) -> QuerySet[Rating]:
    found = Q()
    for name in names:
        kind, _, pk = name.partition(":")
        found |= Q(**{kind: int(pk)})
    return Rating.objects.filter(found, game=game)


def _store(game: str, ratings: dict[Rated, Strength], rows: dict[Rated, Rating]) -> None:
    new, known = [], []
    for name, strength in ratings.items():
        row = rows.get(name)
        if row is None:
            kind, _, pk = name.partition(":")
            row = Rating(game=game, **{f"{kind}_id": int(pk)})
            new.append(row)
        else:
            known.append(row)
        row.mu, row.sigma, row.matches = strength.mu, strength.sigma, strength.matches
    Rating.objects.bulk_create(new)
    Rating.objects.bulk_update(known, ["mu", "sigma", "matches"], batch_size=500)
