"""When a delivery that failed is tried again, and when no more."""

from datetime import timedelta

FIRST = 5.0  # seconds
LONGEST = 900.0
GIVE_UP_AFTER = timedelta(days=1)


def pause(failures: int, chance: float) -> float:
    """
    Return the seconds to wait after so many failures in a row: 5, 10, 20 … 900, or up to half less.

    `chance` in [0, 1) spreads receivers out that went down together.
    """
    full: float = min(FIRST * 2 ** min(failures - 1, 20), LONGEST)
    return full * (1 - chance / 2)
