"""
The time to pair one Swiss round, in milliseconds: the best of some, from the history of all rounds before.

Results are simulated: the better seed wins more often, one match in five is drawn. Two tables:

  history    reading the results of all rounds before
  pairing    pairing from there

The last line is no tournament, but the hardest field that was found: 1,024 entrants, no two with the same points.

Usage: .venv/bin/python bench/swiss.py [--times 3]
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine.results import Points, Result
from engine.swiss import pair_round, players_from

FIELDS = (16, 64, 256, 1024, 4096)
ROUNDS = (1, 5, 11)
DRAWS = 0.2


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=3)
    times = parser.parse_args().times
    figures = {n: measured(n, times) for n in FIELDS}
    for name, index in (("history", 0), ("pairing", 1)):
        print(f"{name:<10}" + "".join(f"{f'round {r}':>10}" for r in ROUNDS))
        for n in FIELDS:
            print(f"{n:>10,}" + "".join(f"{figures[n][r][index]:>10.2f}" for r in ROUNDS))
        print()
    print(f"{'all apart':<10}" + "".join(f"{ms:>10.2f}" for ms in all_apart(1024, times)))


def measured(n: int, times: int) -> dict[int, tuple[float, float]]:
    """Return the milliseconds for the history and for the pairing, by round."""
    rng = Random(n)  # noqa: S311 - the same results each time
    seeds, figures = {e: e for e in range(1, n + 1)}, {}
    results: list[Result] = []
    for round_ in range(1, max(ROUNDS) + 1):
        players = players_from(seeds, results, Points())
        if round_ in ROUNDS:
            history = best(lambda: players_from(seeds, results, Points()), times)
            figures[round_] = history, best(lambda players=players: pair_round(players), times)
        pairing = pair_round(players)
        for home, away in pairing.pairs:
            first = rng.random() < 1 / (1 + 10 ** ((home - away) / n * 2))
            results.append(Result(round_, home, away, None if rng.random() < DRAWS else home if first else away))
    return figures


def all_apart(n: int, times: int) -> list[float]:
    """Return the milliseconds for the pairing of a field that starts apart and never changes."""
    seeds, figures = {e: e for e in range(1, n + 1)}, []
    given = {e: float(n - e) for e in seeds}
    results: list[Result] = []
    for round_ in range(1, max(ROUNDS) + 1):
        players = players_from(seeds, results, Points(win=0, draw=0, loss=0), given=given)
        if round_ in ROUNDS:
            figures.append(best(lambda players=players: pair_round(players), times))
        results += [Result(round_, home, away, None) for home, away in pair_round(players).pairs]
    return figures


def best(do: Callable[[], object], times: int) -> float:
    """Return the milliseconds of the best call: the others had company on the machine."""
    figures = []
    for _ in range(times):
        began = time.perf_counter()
        do()
        figures.append(time.perf_counter() - began)
    return min(figures) * 1e3


if __name__ == "__main__":
    main()
