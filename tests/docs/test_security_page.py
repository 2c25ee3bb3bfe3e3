"""docs/security.md has every attack once, names the tests that try it, and leaves none of them out."""

import re
from pathlib import Path

from apps.tournaments.realtime.protocol import CloseCode

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
ROWS = re.findall(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \|([^|]*)\|$", PAGE, re.MULTILINE)


def test_every_attack_is_listed_once_with_its_answer():
    assert [int(number) for number, *_ in ROWS] == list(range(1, 67))


def test_every_test_that_is_named_exists_and_every_one_that_exists_is_named():
    sources = (path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    existing = {
        name for source in sources for name in re.findall(r"^\s*(?:async )?def (test_abuse_\w+)", source, re.MULTILINE)
    }
    named = {(int(number), name) for number, _, _, tests in ROWS for name in re.findall(r"`(\w+)`", tests)}
    assert named == {(int(name.split("_")[2]), name) for name in existing}


def test_an_attack_without_a_test_is_on_something_that_is_not_built():
    for number, _, answer, tests in ROWS:
        assert tests.strip() or "not built yet" in answer, number


def test_every_close_code_is_one_of_ours():
    assert {int(code) for code in re.findall(r"\b4\d{3}\b", PAGE)} <= set(CloseCode)
