"""Seed orders and draws. Seeds are 1-based; 1 is the strongest."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

T = TypeVar("T")


class Rng(Protocol):
    """The part of `random.Random` that a draw needs; passed in so that a draw can be replayed from its seed."""

    def shuffle(self, x: list[T], /) -> None: ...


def bracket_size(entrants: int) -> int:
    """Return the smallest power of two that holds `entrants` (>= 1)."""
    return 1 << max(entrants - 1, 0).bit_length()


def bracket_order(size: int) -> list[int]:
    """
    Return seeds in bracket order, so that adjacent pairs meet in round 1.

    Args:
        size: a power of two >= 1.

    For 8: [1, 8, 4, 5, 2, 7, 3, 6]. Seeds 1 and 2 can meet only in the final, and while favourites win,
    the best 2^j seeds are the ones left when 2^j remain.
    """
    order = [1]
    while len(order) < size:
        paired_sum = 2 * len(order) + 1
        order = [seed for s in order for seed in (s, paired_sum - s)]
    return order


def draw(entrants: Sequence[T], rng: Rng) -> list[T]:
    """Return the entrants in random order. The same `rng` seed and the same input order give the same draw."""
    drawn = list(entrants)
    rng.shuffle(drawn)
    return drawn
