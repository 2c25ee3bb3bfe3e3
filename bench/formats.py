"""
How long the engine takes for the largest fields. No server, no database.

Each line is the fastest of some runs in this process, since whatever else the machine does only ever adds to it.

Usage: .venv/bin/python bench/formats.py [--entrants 4096] [--runs 5] [SECTION ...]
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine.bracket import MAX_ENTRANTS
from engine.double_elimination import double_elimination

# What is measured, what it did, and how to do it once.
Measured = tuple[str, str, Callable[[], object]]


def elimination(entrants: int) -> Iterator[Measured]:
    matches = len(double_elimination(entrants))
    yield "double_elimination", f"{entrants:,} entrants, {matches:,} matches", lambda: double_elimination(entrants)


SECTIONS: dict[str, Callable[[int], Iterator[Measured]]] = {"elimination": elimination}


def main() -> None:
    parser = argparse.ArgumentParser(description="How long the engine takes for the largest fields.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all without")
    parser.add_argument("--entrants", type=int, default=MAX_ENTRANTS)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if unknown := set(options.sections) - SECTIONS.keys():
        parser.error(f"There is no section {', '.join(sorted(unknown))}. There are: {', '.join(SECTIONS)}.")
    for section in options.sections or SECTIONS:
        for name, what, run in SECTIONS[section](options.entrants):
            print(f"{name}: {fastest(run, options.runs) * 1000:,.1f} ms ({what})")


def fastest(run: Callable[[], object], runs: int) -> float:
    """Return the seconds of the fastest run."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return min(times)


if __name__ == "__main__":
    main()
