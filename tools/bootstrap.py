"""
What `make run`, `make test` and the other targets of the Makefile call: `python3 tools/bootstrap.py run`.

Kept to what every Python 3 can parse, so that an old one says what is wrong instead of raising a SyntaxError. The rest
of tools/ is written for the Python that DeltaCrown needs.
"""

import os
import sys

NEEDED = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main() -> None:
    if sys.version_info < NEEDED:
        sys.exit(
            "DeltaCrown needs Python {}.{} or newer, and {} is Python {}.{}. Install a newer one, or name it: "
            "make run PYTHON=/path/to/python3.11".format(*NEEDED, sys.executable, *sys.version_info[:2])
        )
    os.chdir(ROOT)
    sys.path[0] = ROOT
    from tools import commands

    commands.main(sys.argv[1:])


if __name__ == "__main__":
    main()
