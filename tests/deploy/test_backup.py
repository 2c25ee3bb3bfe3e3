"""Back up and restore, with the commands of docs/operations.md, as they stand there."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests import services
from tests.deploy.conftest import ROOT, Installation
from tests.rooms import open_room
from tests.server import DEADLINE, client

PAGE = (ROOT / "docs" / "operations.md").read_text()
MATCH = """
from apps.tournaments.models import Match
from apps.tournaments.services import Actor, matches
from engine.match_flow import Score
match = Match.objects.select_related("tournament__created_by").get(number=1)
referee = Actor(match.tournament.created_by)
"""


def commands(heading: str) -> str:
    """Return the shell commands that the page gives under a heading."""
    found = re.search(rf"^### {heading}$.*?^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found, heading
    return found[1]


def run(site: Installation, script: str, folder: Path) -> None:
    """Run commands of the page, where the folders are others and nothing has to be started or stopped."""
    env = folder / "env"
    env.write_text(f"DATABASE_URL={site.environment.get('DATABASE_URL', '')}\n")
    for there, here in {"/var/lib/deltacrown": site.folder, "/var/backups": folder, "/etc/deltacrown/env": env}.items():
        script = script.replace(there, str(here))
    stand_ins = f'systemctl() {{ :; }}; chown() {{ :; }}; deltacrown() {{ {sys.executable} manage.py "$@"; }}; '
    programs = services._postgres_programs(folder, copied=False)
    done = subprocess.run(
        [
            "bash",
            "-euo",
            "pipefail",
            "-c",
            stand_ins + script.replace("/opt/deltacrown/.venv/bin/python", sys.executable),
        ],
        cwd=ROOT,
        env=site.environment | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def offer(address: str, room: str) -> list[str]:
    body, headers = json.dumps({"room": room}).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://{address}/api/v1/realtime/token", body, headers)
    with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
        return ["deltacrown.v1", f"bearer.{json.load(answer)['token']}"]


async def watch(address: str, cup: str, since: str = "") -> tuple[bool, dict]:
    """Return whether the room went on from `since`, and what came next."""
    path = f"/ws/tournament/{cup}/" + (f"?since={since}" if since else "")
    async with client(address, path, subprotocols=offer(address, f"tournament:{cup}")) as socket:
        welcome = await socket.receive()
        return welcome["data"]["resumed"], await socket.receive()


@pytest.fixture
def database(on_each_database: Installation) -> str:
    return "PostgreSQL" if "DATABASE_URL" in on_each_database.environment else "SQLite"


async def test_who_saw_what_a_restored_backup_does_not_have_starts_from_a_snapshot(
    on_each_database: Installation, database: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    site, folder = on_each_database, tmp_path_factory.mktemp("backups")
    cup = site.run("from tests import factories; print(factories.drawn(2).pk)")
    with site.serving() as (_, address):
        async with client(
            address, f"/ws/tournament/{cup}/", subprotocols=offer(address, f"tournament:{cup}")
        ) as watcher:
            _, snapshot = await open_room(watcher)
            run(site, commands(f"Back up {database}"), folder)  # while people are there
            site.run(MATCH + "matches.start(referee, match.pk)\nmatches.update_score(referee, match.pk, Score(7, 0))")
            while (await watcher.next_event())["type"] != "score_updated":
                pass
        seen = f"{snapshot['epoch']}:{watcher.mine}"

    run(site, commands(f"Restore {database}"), folder)
    # Another history reaches the numbers of the one that is gone.
    site.run(MATCH + "matches.start(referee, match.pk)\nmatches.update_score(referee, match.pk, Score(0, 1))")
    with site.serving() as (_, address):
        resumed, frame = await watch(address, cup, since=seen)
    assert not resumed
    assert frame["type"] == "snapshot"
    assert frame["epoch"] != snapshot["epoch"]
    (match,) = frame["data"]["matches"].values()
    assert (match["home_score"], match["away_score"]) == (0, 1)
