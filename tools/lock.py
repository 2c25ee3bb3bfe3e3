"""
`make lock`: resolve requirements*.in into the lock files, with a hash for every download.

Pins that still fit are kept; `make lock ARGS=--upgrade` takes the newest of everything.
"""

import os
import shlex
import subprocess
import sys

from tools.environment import DEVELOPMENT, RUNTIME

# For every Python from 3.11 on, and without the name of the index, which is everyone's own. Extras stay: pip 23 does
# not take "coverage==7.17" for the pin of a "coverage[toml]" that another package wants, and looks for the newest.
OPTIONS = ["--quiet", "--universal", "--python-version=3.11", "--generate-hashes", "--no-emit-index-url", "--no-header"]
OPTIONS += ["--no-strip-extras"]


def main() -> None:
    extra = shlex.split(os.environ.get("ARGS", ""))
    # The runtime pins bind the development ones, so that the tests run on what the product runs on.
    for lock, constraints in ((RUNTIME, []), (DEVELOPMENT, ["--constraint", RUNTIME])):
        source = lock.replace(".lock", ".in")
        subprocess.run(
            [sys.executable, "-m", "uv", "pip", "compile", *OPTIONS, *constraints, *extra, source, "-o", lock],
            check=True,
        )
        print(f"{lock} is resolved", flush=True)


if __name__ == "__main__":
    main()
