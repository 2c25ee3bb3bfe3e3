"""What the first visit to a tournament weighs, and that it comes compressed."""

import gzip
import json
import posixpath
import re

import pytest
from django.test import Client

from apps.tournaments.services import Actor, brackets, entries, matches
from engine.match_flow import Score
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db

MOST = 120_000  # bytes, of a tournament of 64
# The picture for a phone's home screen is asked for when somebody puts the site there.
LINKS = re.compile(r'(?:href|src)="(/(?:static|accent)/(?![^"#]*apple-touch-icon)[^"#]+)')
COMMENTS = re.compile(r"/\*.*?\*/", re.DOTALL)
IMPORTS = re.compile(r"""(?:from|import)\s*\(?["'](\.[^"']+)""")


def fetch(path):
    """Return an answer's text, and how many bytes of it are sent."""
    answer = Client().get(path, headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200, path
    body = answer.content
    is_small = answer.headers.get("Content-Encoding") != "gzip"
    assert not is_small or len(body) < 300 or path.endswith(".png"), f"{path} is not compressed"
    return (body if is_small else gzip.decompress(body)).decode(errors="replace"), len(body)


def first_visit(path):
    """Return how many bytes a browser reads that has nothing yet: the page, its styles, its scripts and theirs."""
    html, weight = fetch(path)
    wanted, seen = set(LINKS.findall(html)) | {"/static/web/img/icons.svg"}, set()
    while wanted:
        one = wanted.pop()
        seen.add(one)
        text, size = fetch(one)
        weight += size
        if one.endswith(".js"):
            text = COMMENTS.sub("", text)  # they name modules, too: for their types
            wanted |= {posixpath.normpath(posixpath.join(posixpath.dirname(one), to)) for to in IMPORTS.findall(text)}
        wanted -= seen
    return weight


@pytest.mark.parametrize("format", [Format.SINGLE_ELIMINATION, Format.DOUBLE_ELIMINATION])
def test_a_tournament_of_64_is_light(format):
    cup = factories.make_tournament(capacity=64, format=format)
    for n in range(64):
        entries.add(Actor(cup.created_by), cup.pk, name=f"A name of usual length {n}")
    factories.publish(cup)
    brackets.generate(Actor(cup.created_by), cup.pk)
    factories.play(cup, matches_at_most=8)
    assert first_visit(f"/t/{cup.pk}/bracket/") < MOST
    assert first_visit(f"/t/{cup.pk}/") < MOST


def test_of_a_round_robin_of_thousands_one_round_is_sent(visitor):
    cup = factories.make_tournament(capacity=64, format=Format.ROUND_ROBIN)
    for n in range(48):
        entries.add(Actor(cup.created_by), cup.pk, name=f"Entrant {n}")
    factories.publish(cup)
    brackets.generate(Actor(cup.created_by), cup.pk)
    first = factories.match_number(cup, 1)
    matches.start(Actor(cup.created_by), first.pk)
    matches.finish(Actor(cup.created_by), first.pk, Score(2, 1))
    for path, cards in ((f"/t/{cup.pk}/bracket/?round=5", 24), (f"/t/{cup.pk}/matches/?part=5", 24)):
        html = visitor().open(path).html
        assert html.count('<article class="match"') == cards
        assert len(re.findall(r"<a [^>]*>(?:<span[^>]*>Round</span> \d+|Round \d+)</a>", html)) == 47
    page, state = (
        json.loads(re.search(rf'id="{one}" type="application/json">(.*?)</script>', html)[1])
        for one in ("page", "state")
    )
    assert len(state["matches"]) == 24
    rest = {kind: sum(last - start + 1 for start, last in runs) for kind, runs in page["rest"].items()}
    assert rest == {"completed": 1, "ready": 1128 - 24 - 1}
