"""The examples of clients/README.md, run as they stand there, against a real server that goes away and comes back."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from apps.tournaments.services import Actor, matches
from engine.match_flow import Score
from tests.server import ServerProcess, wait_for
from tests.unit.web.node import node

ROOT = Path(__file__).parents[3]
PATIENCE = 40.0  # the server starts anew, and the client waits a while before it comes back


def example(language: str) -> str:
    (code,) = re.findall(rf"```{language}\n(.*?)```", (ROOT / "clients" / "README.md").read_text(), re.DOTALL)
    return code


def command(language: str, folder: Path, address: str, tournament: int) -> list[str]:
    code = example(language).replace("localhost:8000", address).replace("tournament:1", f"tournament:{tournament}")
    if language == "python":
        file = folder / "watch.py"
        file.write_text(code.replace(", 1))", f", {tournament}))"))
        return [sys.executable, str(file)]
    file = folder / "watch.mjs"
    module = (ROOT / "clients" / "js" / "deltacrown.js").as_uri()
    file.write_text(code.replace("./clients/js/deltacrown.js", module))
    return [node(), "--experimental-websocket", "--no-warnings", str(file)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", ["js", "python"])
def test_the_example_watches_across_a_restart_of_the_server(cup, match, redis_url, tmp_path, language):
    organizer = Actor(cup.created_by)
    matches.start(organizer, match.pk)
    paths = {"PYTHONPATH": str(ROOT / "clients" / "python")}
    with ServerProcess(REDIS_URL=redis_url) as server, (tmp_path / "out").open("w+") as out:
        arguments = command(language, tmp_path, server.address, cup.pk)
        with subprocess.Popen(arguments, stdout=out, stderr=subprocess.STDOUT, env=os.environ | paths) as process:

            def printed(text: str) -> bool:
                so_far = Path(out.name).read_text()
                assert process.poll() is None, so_far
                return text in so_far

            try:
                wait_for(lambda: printed("live"), seconds=PATIENCE)
                seq = matches.update_score(organizer, match.pk, Score(1, 0)).seq
                wait_for(lambda: printed(f"score_updated {seq}\n"), seconds=PATIENCE)
                server.stop()
                seq = matches.update_score(organizer, match.pk, Score(2, 0)).seq
                server.start()
                wait_for(lambda: printed(f"score_updated {seq}\n"), seconds=PATIENCE)
            finally:
                process.terminate()
