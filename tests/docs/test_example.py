"""The example of docs/protocol.md, run as it stands there, against a real server."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from apps.tournaments.services import Actor, matches
from engine.match_flow import Score
from tests import factories
from tests.server import running_server, wait_for

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"


@pytest.mark.django_db(transaction=True)
def test_the_example_prints_the_events_of_a_tournament(tmp_path):
    cup = factories.drawn(2)
    match = factories.match_number(cup, 1)
    matches.start(Actor(cup.created_by), match.pk)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    with running_server() as address, (tmp_path / "out").open("w+") as out:
        code = code.replace("localhost:8000", address).replace("watch(1)", f"watch({cup.pk})")
        with subprocess.Popen([sys.executable, "-uc", code], stdout=out, stderr=subprocess.STDOUT) as process:
            goals = iter(range(1, 999))

            def seen() -> bool:
                matches.update_score(Actor(cup.created_by), match.pk, Score(next(goals), 0))
                assert process.poll() is None, Path(out.name).read_text()
                return "score_updated {'match': " in Path(out.name).read_text()

            try:
                wait_for(seen)
            finally:
                process.terminate()
