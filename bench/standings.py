"""
What standings cost: all at once, after every result of the last round, as a live tournament asks for them.

Reported, in milliseconds, the median of the runs:

  no tie-break   points alone, which is reading the results and sorting
  each part      points and that part
  five           points and the five of the list below
  scopes first   three that are counted among the tied, of all entrants at the start, and the five

Usage: .venv/bin/python bench/standings.py [--entrants 1024] [--rounds 11] [--runs 7]
"""

import argparse
import sys
import time
from pathlib import Path
from random import Random
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine.results import Points, Result
from engine.stages import Format
from engine.standings import draw_lots, standings

FIVE = ("buchholz_cut1", "buchholz", "sonneborn_berger", "head_to_head", "opponents_win_rate")
OTHERS = ("median_buchholz", "tied:score_difference", "score_difference", "game_win_rate", "draw")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entrants", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--runs", type=int, default=7)
    asked = parser.parse_args()
    field = list(range(1, asked.entrants + 1))
    chance = Random(1)  # noqa: S311 - the same tournament every time
    results = swiss(chance, field, asked.rounds)
    lots = draw_lots(field, chance)

    def milliseconds(*parts: str) -> float:
        taken = []
        for _ in range(asked.runs):
            start = time.perf_counter()
            standings(field, results, format=Format.SWISS, rounds=asked.rounds, points=Points(), parts=parts, lots=lots)
            taken.append(time.perf_counter() - start)
        return 1000 * median(taken)

    print(f"{asked.entrants} entrants, {asked.rounds} rounds, {len(results)} results")
    for name, parts in [
        ("no tie-break", ("points",)),
        *((part, ("points", part)) for part in FIVE + OTHERS),
        ("five", ("points", *FIVE)),
        ("scopes first", ("tied:points", "tied:wins", "tied:scored", *FIVE)),
    ]:
        print(f"  {name:22} {milliseconds(*parts):7.1f} ms")


def swiss(rng: Random, field: list[int], rounds: int) -> list[Result]:
    """Pair those who are level on points, and have one in fifty matches forfeited."""
    points = dict.fromkeys(field, 0)
    results = []
    for round_ in range(1, rounds + 1):
        order = sorted(field, key=lambda entrant: (-points[entrant], rng.random()))
        for home, away in zip(order[::2], order[1::2], strict=False):
            forfeit = rng.randrange(50) == 0
            home_score, away_score = (0, 0) if forfeit else rng.choice(((2, 0), (2, 1), (1, 2), (0, 2), (1, 1)))
            winner = home if forfeit or home_score > away_score else away if home_score < away_score else None
            results.append(Result(round_, home, away, winner, home_score, away_score, forfeit=forfeit))
            for entrant in (home, away):
                points[entrant] += 3 if winner == entrant else 1 if winner is None else 0
        if len(order) % 2:
            results.append(Result(round_, order[-1], None, order[-1]))
    return results


if __name__ == "__main__":
    main()
