"""Whoever reads another language reads no English: neither on a page, nor in a refusal, nor in an error of the API."""

import re
from collections import Counter
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from apps.errors import ErrorCode
from tests import factories, pseudo
from tests.integration.api.client import Person
from tests.world import World, make_world

pytestmark = pytest.mark.django_db

# Brands, addresses, formats of files, names that are the same in every language; of the forms of an account, an e-mail.
SAME_EVERYWHERE = re.compile(
    r"https?://\S+|\S+@\S+|[\w-]+\.(?:json|csv|trf|ics)\b|\bdct_\w*|#[0-9a-f]{6}\b"
    r"|\b(?:DeltaCrown|English|Deutsch|Discord|OBS|API|CSV|JSON|TRF|TRF16|TRF26|SHA-256|HMAC|URL|UTC|ms|Chess|Elo)\b"
)
ELSEWHERE = re.compile(r"/(?:admin|static|api|accent|media|language|styleguide)/|\.(?:json|csv|trf|ics)\b|oembed")
FOR_ALL = re.compile(r"^/(?:language|accounts)/")  # would be sent once for every page, or sign out
MOST = 5  # pages of a kind that are reached by links, in different tournaments
EMBEDS = [("double", "bracket"), ("groups", "standings"), ("states", "matches"), ("open", "bracket")]
NOWHERE = ["/nothing/", "/t/0/", "/embed/t/0/bracket/", "/overlay/1/next/?key=x"]


@pytest.fixture
def world(monkeypatch) -> World:
    numbers = iter(range(5000, 9999))
    monkeypatch.setattr(factories, "make_name", lambda: str(next(numbers)))
    world = make_world()
    pseudo.speak(monkeypatch)
    return world


class Walk:
    """One person who follows every link, once; of those of one kind, to a few."""

    def __init__(self, user):
        self.client = Client()
        if user is not None:
            self.client.force_login(user)
        self.wrong, self.seen, self.forms, self._counted = {}, set(), {}, Counter()

    def go(self, starts):
        waiting = list(starts)
        while waiting:
            path = waiting.pop()
            if path not in self.seen:
                self.seen.add(path)
                page = self._read(path)
                waiting += [link for link in page.links if self._leads_on(link)]
        return self

    def _read(self, path):
        page = self._note("GET", path, self.client.get(path))
        for action, hidden in page.forms:
            self.forms.setdefault(action or path, hidden)
        return page

    def _leads_on(self, link):
        if not link.startswith("/") or ELSEWHERE.search(link) or link in self.seen:
            return False
        try:
            match = resolve(urlsplit(link).path)
        except Resolver404:
            return False
        name, cup = match.url_name, match.kwargs.get("tournament_id")
        self._counted.update([name, (name, cup)])
        return self._counted[name] <= MOST and (cup is None or self._counted[name, cup] == 1)

    def send(self, forms):
        """Send forms as they are, of each kind one in each tournament, or of those without one a few."""
        sent = Counter()
        for action, hidden in forms.items():
            match = resolve(urlsplit(action).path)
            kind = (match.url_name, match.kwargs.get("tournament_id"))
            sent[kind] += 1
            if sent[kind] > (3 if kind[1] is None else 1):
                continue
            self._note("POST", action, self.client.post(action, hidden, follow=True))

    def _note(self, method, path, answer):
        if "text/html" not in answer.get("Content-Type", ""):
            for close in answer._resource_closers:  # a file's; close() would end the connection to the database too
                close()
            return pseudo.Reader("")
        page = pseudo.Reader(answer.content.decode())
        for text in page.untranslated(SAME_EVERYWHERE):
            self.wrong.setdefault(text, f"{method} {path} {answer.status_code}")
        return page


def test_no_page_says_a_word_of_its_own(world):
    """Every page, as everybody sees it; then every form, sent empty, by a stranger and by those who see it."""
    cups = {name: f"/t/{cup.pk}/" for name, cup in world.cups.items()}
    embeds = [f"/embed{cups[name]}{kind}/" for name, kind in EMBEDS]
    matches = [f"/m/{pk}/" for pk in world.cups["states"].matches.filter(number__lt=10).values_list("pk", flat=True)]
    account = [f"/accounts/{page}/" for page in ("login", "signup", "password/reset")]
    public = ["/", "/finished/", "/teams/", *cups.values(), *(f"{path}bracket/" for path in cups.values()), *matches]
    guest = Walk(None).go([*public, *embeds, *account, *world.overlays, *NOWHERE])
    player = Walk(world.player).go(["/", *(cups[name] for name in ("open", "teams", "states", "veto")), *matches[:3]])
    referee = Walk(world.referee).go([f"{cups['states']}manage/", f"{cups['double']}manage/schedule/"])
    steps = [f"{cups['draft']}setup/{step}/" for step in ("name", "format", "entrants", "publish")]
    organiser = Walk(world.organiser).go(["/new/", *steps, *matches, *(f"{path}manage/" for path in cups.values())])
    stranger = Walk(factories.make_user("999"))
    for sender, seen in ((stranger, organiser), (player, player), (organiser, organiser)):
        sender.send({path: hidden for path, hidden in seen.forms.items() if not FOR_ALL.search(path)})
    seen = [guest, player, referee, organiser, stranger]
    wrong = {text: where for walk in seen for text, where in walk.wrong.items()}
    assert not wrong, "\n".join(f"{text!r} on {where}" for text, where in wrong.items())
    assert len({resolve(urlsplit(path).path).url_name for walk in seen for path in walk.seen - {*NOWHERE}}) >= 45


def test_no_error_of_the_api_says_a_word_of_its_own(world):
    """The sentences are in the reader's language, codes stay."""
    cup, match = world.cups["states"].pk, factories.match_number(world.cups["states"], 4).pk
    guest, player, organiser = Person(), Person(world.player), Person(world.organiser)
    answers = [
        guest.get("/nothing"), guest.get("/tournaments/999"), guest.post("/tournaments", {"name": "№"}),
        guest.client.post("/api/v1/tournaments", {"name": "№"}), guest.put("/tournaments"),
        guest.get(f"/tournaments/{cup}/matches", limit="x", offset=-1),
        player.post(f"/tournaments/{cup}/cancel"), player.post(f"/matches/{match}/report", {"home_score": 1}),
        organiser.post("/tournaments", {}), organiser.post("/tournaments", {"name": "", "capacity": 1.5, "x": 1}),
        organiser.post("/tournaments", {"name": "№" * 999, "capacity": "x", "format": "x", "starts_at": "x"}),
        organiser.post("/tournaments", []), organiser.post(f"/tournaments/{cup}/seed", {"order": "x", "by_rating": 2}),
        organiser.post(f"/tournaments/{cup}/open-registration"), organiser.post(f"/matches/{match}/start"),
        organiser.post(f"/matches/{match}/finish", {"home_score": 1, "away_score": 1}),
    ]  # fmt: skip
    for answer in answers:
        problem = answer.json()
        assert answer.status_code >= 400
        assert problem["code"] in set(ErrorCode)
        sentences = [field["message"] for field in problem["data"].get("fields", ())] or [problem["detail"]]
        for sentence in sentences:
            assert not pseudo.LETTERS.search(pseudo.outside(sentence)[0]), sentence
