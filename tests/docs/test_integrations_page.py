"""docs/integrations.md: what it has for receivers checks what this site signs, and its facts are those of the code."""

import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from apps.accounts.grants import Scope
from apps.integrations import delivery, retries, sending, services
from apps.integrations.channels.webhook import USER_AGENT, Envelope, new_key, signature
from tests.unit.web.node import node

PAGE = (Path(__file__).parents[2] / "docs" / "integrations.md").read_text()
BODY = '{"name": "Žižkov – 東京"}'


def code(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


def checked_in_python(key: str, headers: dict[str, str], body: str, _folder: Path) -> bool:
    space: dict = {}
    exec(code("python"), space)
    return space["is_genuine"](key, headers, body.encode())


def checked_in_javascript(key: str, headers: dict[str, str], body: str, folder: Path) -> bool:
    script = folder / "check.mjs"
    given = json.dumps([key, headers, body])
    script.write_text(f"{code('js')}\nconsole.log(isGenuine(...{given}));\n")
    done = subprocess.run([node(), str(script)], capture_output=True, text=True, check=True)
    return done.stdout == "true\n"


@pytest.mark.parametrize("check", [checked_in_python, checked_in_javascript])
def test_its_programs_accept_what_this_site_signs_and_nothing_else(check, tmp_path):
    key, now = new_key(), int(time.time())

    def genuine(*, key: str = key, at: int = now, body: str = BODY, before: str = "", **changed: str) -> bool:
        headers = {
            "webhook-id": "tournament:7:9f3c2e1a0b4d:41",
            "webhook-timestamp": str(at),
            "webhook-signature": before + signature(key, "tournament:7:9f3c2e1a0b4d:41", at, BODY.encode()),
        }
        return check(key_of_receiver, headers | {k.replace("_", "-"): v for k, v in changed.items()}, body, tmp_path)

    key_of_receiver = key
    assert genuine()
    assert genuine(before="v1,AAAA v1a,BBBB ")
    assert not genuine(key=new_key())
    assert not genuine(body=BODY + " ")
    assert not genuine(webhook_id="tournament:7:9f3c2e1a0b4d:42")
    assert not genuine(webhook_timestamp=str(now + 1))
    assert not genuine(at=now - 3600)
    assert not genuine(webhook_signature="v1,")


def test_the_example_has_every_field_and_header():
    example = PAGE.partition("```\nPOST")[2].partition("```")[0]
    assert f"User-Agent: {USER_AGENT}" in example
    names = re.findall(r'"(\w+)":', example.partition('"data"')[0])
    assert [*names, "data"] == list(Envelope.__struct_fields__)


def test_its_figures_are_those_of_the_code():
    assert (services.MOST, delivery.KEPT, sending.SECONDS) == (10, 100, 5.0)
    assert [retries.pause(n, 0) for n in (1, 2, 3)] == [5, 10, 20]
    assert (retries.LONGEST, retries.GIVE_UP_AFTER.total_seconds()) == (15 * 60, 24 * 3600)
    for fact in ("up to ten addresses", "last\nhundred attempts", "within five seconds", "5 s, 10 s, 20 s … 15 min"):
        assert fact in PAGE


def test_it_names_every_scope():
    table = PAGE.partition("| scope | lets it |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == list(Scope)
