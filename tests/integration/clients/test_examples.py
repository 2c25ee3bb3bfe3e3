"""The bots of examples/, as they stand there, against a real server: each result is posted once, in order."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.integrations import tokens
from engine.match_flow import Score
from tests import factories
from tests.receiver import Receiver
from tests.server import wait_for
from tests.unit.web.node import node

ROOT = Path(__file__).parents[3]
PATIENCE = 40.0  # Node and Python start on a machine that tests
COMMANDS = {
    "bot.py": lambda file: [sys.executable, file],
    "bot.mjs": lambda file: [node(), "--experimental-websocket", "--no-warnings", file],
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("example", COMMANDS)
def test_a_bot_posts_the_results_of_a_tournament(address, tmp_path, example):
    cup = factories.drawn(4)
    bot = factories.make_user("resultbot")
    _, token = tokens.create(bot, name="Chat", scopes=[], tournament=cup.pk)
    with Receiver() as chat, (tmp_path / "out").open("w+") as out:
        environment = os.environ | {
            "SITE": f"http://{address}",
            "TOURNAMENT": str(cup.pk),
            "DCT_TOKEN": token,
            "CHAT_URL": chat.url,
            "PYTHONPATH": str(ROOT / "clients" / "python"),
        }
        factories.play(cup, lambda _: Score(2, 0), matches_at_most=1)
        command = COMMANDS[example](str(ROOT / "examples" / example))
        with subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment) as process:

            def said(text: str) -> bool:
                so_far = Path(out.name).read_text()
                assert process.poll() is None, so_far
                return text in so_far

            try:
                wait_for(lambda: said(f"Watching {cup.name} as resultbot"), seconds=PATIENCE)
                factories.play(cup, lambda _: Score(3, 1))
                results = [
                    f"{match.home.name} 3–1 {match.away.name}"
                    for match in cup.matches.select_related("home", "away").order_by("completed_at")[1:]
                ]
                wait_for(lambda: len(chat.requests) == len(results) or said("Error"), seconds=PATIENCE)
            finally:
                process.terminate()
    assert [request.json["content"] for request in chat.requests] == results
    assert len(results) == 3
