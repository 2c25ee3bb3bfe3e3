"""
Judge how much of the realtime package the tests run, branches counted: all of it together, and each file by itself.

Usage: python -m tools.coverage <the report of `coverage json`>
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

OVERALL = 95  # per cent
EACH = 90


def main(file: str) -> None:
    report: dict[str, Any] = json.loads(Path(file).read_text())
    if failures := list(shortfalls(report)):
        sys.exit("\n".join(failures))
    print(f"{report['totals']['percent_covered']:.1f} % of the realtime package is covered")


def shortfalls(report: dict[str, Any]) -> Iterator[str]:
    """Give a line for each goal that was missed."""
    found = {name: part["summary"]["percent_covered"] for name, part in report["files"].items()}
    if not found:
        yield "Nothing was measured."
        return
    overall = report["totals"]["percent_covered"]
    if overall < OVERALL:
        yield f"Covered overall: {overall:.1f} %, which is less than {OVERALL} %"
    for name, covered in sorted(found.items()):
        if covered < EACH:
            yield f"Covered of {name}: {covered:.1f} %, which is less than {EACH} %"


if __name__ == "__main__":
    main(sys.argv[1])
