"""
How many small faults in the code of the connections do the tests notice? One fault at a time, in a copy of the project.

The faults are mutmut's (another number, operator or argument, None for a value, …), and some more: a call left out,
`return None`, an `if` turned round; in Redis's scripts an operator exchanged or a call left out. None are made in
docstrings, log lines, sentences, type hints (constraints in them are no hints) and the options of dataclasses.

For each, the quick tests run first, and if they notice nothing those over real servers. A failure of the latter counts
when it comes again alone, so that a busy machine kills nothing. A test that hangs has failed.

Usage:
    .venv/bin/uv pip install --target /tmp/mutmut mutmut
    PYTHONPATH=/tmp/mutmut nice .venv/bin/python bench/mutation.py [--only protocol] [--sample 60] [--seed 1]
"""

import argparse
import json
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from mutants import Mutant, mutants

ROOT = Path(__file__).parents[1]
CODE = Path("apps/tournaments/realtime")
UNIT, SERVED = "tests/unit/realtime/test_", "tests/integration/realtime/test_"
# What finds faults in a module: without a server, then with one; the best first.
TESTS: dict[str, tuple[list[str], list[str]]] = {
    "ratelimit": (
        [
            UNIT + "ratelimit_modes.py",
            UNIT + "ratelimit_memory.py",
            SERVED + "ratelimit.py",
            "-knot redis and not processes",
        ],
        [SERVED + "ratelimit.py", "-kredis or processes"],
    ),
    "ratelimit_redis": ([], [SERVED + "ratelimit.py", "-kredis or processes"]),
    "middleware": ([UNIT + "middleware.py"], [SERVED + "refusals.py", SERVED + "limits.py"]),
    "middleware_ratelimit": ([UNIT + "middleware_ratelimit.py"], [SERVED + "limits.py", SERVED + "refusals.py"]),
    "protocol": ([UNIT + "protocol.py", "tests/docs/test_protocol_page.py"], [SERVED + "refusals.py"]),
    "history": ([SERVED + "history.py", UNIT + "feed.py"], [SERVED + "rooms.py"]),
}
WORKERS = 2
FLAGS = ["-x", "-q", "-n0", "--tb=no", "--assert=plain", "--reuse-db", "--timeout=30"]
FLAGS += [part for plugin in ("randomly", "cacheprovider", "schemathesis") for part in ("-p", f"no:{plugin}")]
NOT_OURS = {"PYTHONPATH", "REDIS_URL", "DATABASE_URL"}
TOO_FLAKY = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=TESTS, action="append", help="a module; may be repeated")
    parser.add_argument("--sample", type=int, help="so many faults of each module, chosen at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="only the tests that need no server")
    parser.add_argument("--list", action="store_true", help="print the faults and run nothing")
    options = parser.parse_args()
    chosen = random.Random(options.seed)  # noqa: S311
    with tempfile.TemporaryDirectory(prefix="deltacrown-mutation-") as folder, ExitStack() as stack:
        copies: queue.SimpleQueue[Copy] = queue.SimpleQueue()
        for number in range(0 if options.list else WORKERS):
            copies.put(Copy(Path(folder) / str(number), stack))
        for module in options.only or TESTS:
            found = list(mutants(ROOT, CODE / f"{module}.py"))
            picked = chosen.sample(found, min(options.sample or len(found), len(found)))
            if options.list:
                print(*(mutant.diff for mutant in picked), sep="\n")
                continue
            quick, served = TESTS[module]
            judge(copies, picked, quick, [] if options.quick else served)


class Copy:
    """A copy of the project, and a process that runs its tests."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in listed.splitlines():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        env = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
        # No bytecode: a fault of the same size in the same second would go unseen.
        env |= {"VAR_DIR": str(folder / "var"), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "1000"}
        command = [sys.executable, "bench/warm_pytest.py"]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, cwd=folder, env=env, text=True, stdin=pipe, stdout=pipe)
        self.process = stack.enter_context(process)

    def run(self, *what: str) -> str:
        """Run some tests until one fails, and return its name."""
        if not what or self.process.stdin is None or self.process.stdout is None:
            return ""
        print(json.dumps([*FLAGS, *what]), file=self.process.stdin, flush=True)
        answer: str = json.loads(self.process.stdout.readline())
        return answer

    def notices(self, mutant: Mutant, quick: list[str], served: list[str]) -> bool:
        """Return whether a test fails with this fault."""
        (self.folder / mutant.file).write_text(mutant.code)
        try:
            if self.run(*quick):
                return True
            flaky: list[str] = []
            while served and (failed := self.run(*served, *(f"--deselect={name}" for name in flaky))):
                if failed == "?" or len(flaky) == TOO_FLAKY or self.run(failed):
                    return True
                flaky.append(failed)
            return False
        finally:
            shutil.copy(ROOT / mutant.file, self.folder / mutant.file)


def judge(copies: "queue.SimpleQueue[Copy]", picked: list[Mutant], quick: list[str], served: list[str]) -> None:
    """Print the faults that nobody notices, and how many that were."""

    def survives(mutant: Mutant) -> bool:
        copy = copies.get()
        try:
            return not copy.notices(mutant, quick, served)
        finally:
            copies.put(copy)

    file = picked[0].file
    if not survives(Mutant(file, (ROOT / file).read_text(), "")):
        sys.exit(f"The tests of {file} fail without a fault.")
    killed = 0
    with ThreadPoolExecutor(WORKERS) as pool:
        for mutant, survived in zip(picked, pool.map(survives, picked), strict=True):
            killed += not survived
            if survived:
                print(mutant.diff, flush=True)
    print(f"== {file.stem}: {killed} of {len(picked)} killed, {killed / len(picked):.1%}", flush=True)


if __name__ == "__main__":
    main()
