"""
Ratings: how strong entrants are, from all the matches they have played.

OpenSkill's Plackett-Luce model (R. C. Weng and C.-J. Lin, "A Bayesian approximation method for online ranking", 2011)
with the defaults of the library. A strength is believed to be mu, give or take sigma; an entrant who is new has
25 ± 8.33. What is rated is one thing, a solo player or a whole team.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from openskill.models import PlackettLuce

from engine.errors import InvalidScore
from engine.text import gettext as _

H = TypeVar("H", bound=Hashable)

_MODEL = PlackettLuce()


@dataclass(frozen=True, slots=True)
class RatedMatch(Generic[H]):
    """A match that was played; a forfeit says nothing about strength and is left out. `winner` is None for a draw."""

    home: H
    away: H
    winner: H | None


@dataclass(frozen=True, slots=True)
class Rating:
    """What is believed of one entrant after so many rated `matches`."""

    mu: float = _MODEL.mu
    sigma: float = _MODEL.sigma
    matches: int = 0

    @property
    def ordinal(self) -> float:
        """Return mu - 3 sigma, which the true strength very likely exceeds. Seed by it: nobody rises by luck."""
        return self.mu - 3 * self.sigma


def fold_ratings(matches: Iterable[RatedMatch[H]], start: Mapping[H, Rating] = {}) -> dict[H, Rating]:
    """
    Return the ratings of all in `start` and in `matches` after these matches.

    The order of matches counts: a win over somebody who is known to be strong moves more than a win over the same
    person before they were known. So rate matches in the order of their ends, and after a result has been corrected
    or removed, fold the whole history again; nothing is ever subtracted.

    Raises:
        InvalidScore: a match of somebody against themselves, or won by somebody else.

    Cost: about 50 µs a match.
    """
    ratings = dict(start)
    for match in matches:
        if match.home == match.away or match.winner not in (match.home, match.away, None):
            raise InvalidScore(_("A rated match has two entrants, and is won by one of them or drawn."))
        sides = (match.home, match.away)
        before = [ratings.get(side, Rating()) for side in sides]
        ranks = [float(match.winner != side) for side in sides]  # equal after a draw
        after = _MODEL.rate([[_MODEL.create_rating([r.mu, r.sigma])] for r in before], ranks=ranks)
        for side, old, (new,) in zip(sides, before, after, strict=True):
            ratings[side] = Rating(new.mu, new.sigma, old.matches + 1)
    return ratings


def expected(home: Rating, away: Rating) -> float:
    """Return the probability, 0 to 1, that home wins; away's is the rest."""
    chances = _MODEL.predict_win([[_MODEL.create_rating([r.mu, r.sigma])] for r in (home, away)])
    return chances[0]
