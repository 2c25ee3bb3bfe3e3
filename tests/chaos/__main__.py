"""
Break everything for some minutes, and see whether anybody noticed. Exit code 1 if somebody saw what is not so.

Usage: .venv/bin/python -m tests.chaos [--short] [--seed 1] [--clients 1000] [--processes 3] [--minutes 5]
"""

import argparse
import asyncio
import sys
from dataclasses import replace

from tests.chaos.stage import stage


def main() -> None:
    parser = argparse.ArgumentParser(description="Break everything for some minutes, and see whether anybody noticed.")
    parser.add_argument("--short", action="store_true", help="100 clients, each fault once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clients", type=int)
    parser.add_argument("--processes", type=int)
    parser.add_argument("--minutes", type=float)
    chosen = parser.parse_args()
    with stage() as where:
        from tests.chaos.faults import Pace
        from tests.chaos.report import table
        from tests.chaos.run import Options, Run

        short = Options(
            seed=chosen.seed, clients=100, processes=2, cups=3, entrants=8, rate=10, life=50, stay=6, quiet=60,
            most_stale=5, pace=Pace(frozen=2, down=2, pause=3, rounds=2),
        )  # fmt: skip
        long = Options(
            seed=chosen.seed, clients=1000, processes=3, cups=6, entrants=16, rate=5, life=120, stay=40, quiet=90,
            most_stale=None, pace=Pace(frozen=10, down=5, pause=8, minutes=5),
        )  # fmt: skip
        options = short if chosen.short else long
        options = replace(
            options,
            clients=chosen.clients or options.clients,
            processes=chosen.processes or options.processes,
            pace=options.pace if chosen.minutes is None else replace(options.pace, minutes=chosen.minutes, rounds=0),
        )
        print(f"seed {options.seed}", flush=True)
        result = asyncio.run(Run(where, options)())
    print(table(result))
    sys.exit(1 if +result.wrong else 0)


if __name__ == "__main__":
    main()
