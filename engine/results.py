"""What has been played, as standings, pairings and ratings read it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """
    One decided match of a league, or one bye.

    `home`, `away` and `winner` are entrants (any id). `away` is None for a bye, which `home` was given. `winner` is
    None for a draw, and for a match that both lost (`forfeit` tells the two apart). `forfeit`: decided without play,
    by a walkover, a no-show or a ruling; the regulations then call the round unplayed. The scores are games won in a
    best-of-N, else points or goals; a shootout is not in them.
    """

    round: int
    home: int
    away: int | None
    winner: int | None
    home_score: int = 0
    away_score: int = 0
    forfeit: bool = False


@dataclass(frozen=True, slots=True)
class Points:
    """What a match is worth in a league. Halves are exact; finer fractions are not allowed."""

    win: float = 3
    draw: float = 1
    loss: float = 0
    bye: float = 3
