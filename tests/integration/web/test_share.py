"""What other sites show of a link: a picture of how it stands, and tags with addresses that hold everywhere."""

import io
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from apps.tournaments.models import Match
from apps.tournaments.services import Actor, matches
from apps.web.share import card, fonts, sentences
from apps.web.share.fonts import Name
from apps.web.views import share
from engine.match_flow import Score
from tests.factories import drawn, make_tournament, match_number, open_registration, play, publish

ODD_NAMES = st.text(min_size=1, max_size=80) | st.sampled_from(
    [
        "漢字チーム",
        "فريق النسور",
        "👩‍👩‍👧 Team",
        "e\u0301" * 40,
        "\u202eevil",
        "a" * 200,
        "🏆",
        "  ",
        "नमस्ते",
        "\U000f0000",
    ]
)


def picture(answer) -> Image.Image:
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"
    image = Image.open(io.BytesIO(answer.content))
    image.load()
    assert image.size == (1200, 630)
    return image


def same(one: Image.Image, other: Image.Image) -> bool:
    return ImageChops.difference(one, other).getbbox() is None


@pytest.fixture
def no_fonts(monkeypatch):
    """A system without a single font that we know."""
    memories = (fonts._face_for, fonts._faces, fonts._opened, fonts._sized, fonts._tell_of)
    monkeypatch.setattr(fonts, "_KNOWN", ())
    for memory in memories:
        memory.cache_clear()
    yield
    for memory in memories:
        memory.cache_clear()


@pytest.mark.django_db
class TestPictures:
    def test_it_shows_what_is_and_is_asked_for_again_only_after_a_change(self, client: Client):
        tournament = drawn(4)
        for path in (f"/t/{tournament.pk}/share.png", f"/m/{match_number(tournament, 1).pk}/share.png"):
            before = client.get(path)
            assert "public" in before["Cache-Control"]
            assert {"Accept-Language", "Cookie"} <= set(before["Vary"].split(", "))
            unchanged = client.get(path, headers={"If-None-Match": before["ETag"]})
            assert (unchanged.status_code, unchanged.content) == (304, b"")
            by, row = Actor(tournament.created_by), Match.objects.get(tournament=tournament, number=1)
            if row.state == "ready":
                matches.start(by, row.pk)
            matches.update_score(by, row.pk, Score(row.home_score + 1, 0))
            after = client.get(path, headers={"If-None-Match": before["ETag"]})
            assert after["ETag"] != before["ETag"]
            assert not same(picture(before), picture(after))

    def test_every_stage_of_a_tournament_has_one(self, client: Client):
        path = "/t/{}/share.png"
        tournament = publish(make_tournament(name="Cup", game="Chess"))
        seen = [picture(client.get(path.format(tournament.pk)))]
        tournament = drawn(4)
        seen.append(picture(client.get(path.format(tournament.pk))))
        play(tournament, matches_at_most=1)
        seen.append(picture(client.get(path.format(tournament.pk))))
        play(tournament)
        seen.append(picture(client.get(path.format(tournament.pk))))
        assert not any(same(one, other) for one, other in pairwise(seen))

    def test_a_draft_has_none_for_anybody(self, client: Client):
        draft = make_tournament()
        client.force_login(draft.created_by)
        assert client.get(f"/t/{draft.pk}/share.png").status_code == 404
        assert "og:image" not in client.get(f"/t/{draft.pk}/").content.decode()
        assert client.get("/t/999/share.png").status_code == 404
        assert client.get("/m/999/share.png").status_code == 404

    def test_few_queries_and_fewer_for_one_that_is_kept(self, client: Client, django_assert_max_num_queries):
        path = f"/m/{match_number(drawn(8), 1).pk}/share.png"
        with django_assert_max_num_queries(8):
            client.get(path)
        with django_assert_max_num_queries(2):
            client.get(path)

    def test_the_oldest_give_way(self, client: Client, monkeypatch):
        monkeypatch.setattr(share, "_KEPT", 2)
        share._kept.clear()
        for _ in range(3):
            client.get(f"/t/{open_registration(make_tournament()).pk}/share.png")
        assert len(share._kept) == 2


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_a_picture_keeps_nobody_from_the_database(monkeypatch):
    seen = []
    monkeypatch.setattr(share, "drawn", lambda _card: b"")
    connection.ensure_connection()
    connection.close_at = 0.0  # as with a pool, which takes back what is not in use
    share._kept.clear()
    share._once(("a tournament", "epoch", 1, "en"), lambda: seen.append(connection.connection))
    share._kept.clear()
    assert seen == [None]


def test_a_link_that_spreads_is_drawn_once():
    drawings, gate = [], threading.Barrier(4)

    def one() -> card.Card:
        drawings.append(1)
        return card.Card("#2f6fed", Name("Chess"), Name("Cup"), "Live", True, "")

    def ask() -> bytes:
        gate.wait()
        return share._once(("tournament:0", "epoch", 7, "en"), one)

    with ThreadPoolExecutor(4) as pool:
        found = [future.result() for future in [pool.submit(ask) for _ in range(4)]]
    assert len(set(found)) == len(drawings) == 1


class TestLetters:
    @given(ODD_NAMES, ODD_NAMES)
    def test_any_name_is_drawn_from_letters_that_are_there_or_not_at_all(self, title, name):
        for text in (title, name):
            shown = Name(text, "Seed 4").drawable
            assert shown
            assert all(fonts._face_for(char) is not None for char in shown)
        row = card.Row(Name(name, "Seed 4"), Name(title, "Seed 5"), "13", "7", "home")
        for rows in ((row,), (row, row, row)):
            card.drawn(
                card.Card("#2f6fed", Name(title, "T"), Name(title, "Tournament 7"), "Live", True, name[:0], rows)
            )

    def test_what_no_font_has_is_replaced_as_a_whole_and_told(self, no_fonts, caplog):
        assert Name("Ann 漢字", "Seed 4").drawable == "Seed 4"
        assert "CJK" in caplog.text
        assert Name("Zoë 🏆", "Seed 4").drawable == "Zoe"
        assert Name("🏆", "Seed 4").drawable == "Seed 4"

    def test_what_is_too_long_is_shortened_to_its_room(self, no_fonts):
        text, size = fonts.fitting("A name that is far too long for this place", 300, (60, 40))
        assert text.endswith("…")
        assert fonts.width(text, size) <= 300
        first, rest = fonts.broken("one two three four", 200, 40)
        assert f"{first} {rest}" == "one two three four"
        assert fonts.width(first, 40) <= 200


@pytest.mark.django_db
class TestTags:
    @staticmethod
    def tags(client: Client, path: str) -> dict[str, str]:
        head = client.get(path).content.decode().partition("</head>")[0]
        return dict(re.findall(r'<meta (?:property|name)="([\w:]+)" content="(.*?)">', head))

    def test_a_tournament_and_a_match_say_what_they_are(self, client: Client, settings):
        tournament = drawn(2, name="Cup & Sons")
        match = match_number(tournament, 1)
        found = self.tags(client, f"/t/{tournament.pk}/bracket/?stage=1")
        assert found["og:url"] == f"http://testserver/t/{tournament.pk}/"
        assert found["og:title"] == "Cup &amp; Sons"
        assert found["og:description"] == "Registration closed. Single elimination · 2 entrants · 0 of 1 matches played"
        assert found["twitter:card"] == "summary_large_image"
        settings.SITE_URL = "https://cup.example.org"
        found = self.tags(client, f"/m/{match.pk}/")
        assert found["og:image"].startswith(f"https://cup.example.org/m/{match.pk}/share.png?v=")
        assert found["og:title"] == f"{match.home.name} – {match.away.name}"
        play(tournament)
        assert self.tags(client, f"/m/{match.pk}/")["og:title"] == f"{match.home.name} 1 – 0 {match.away.name}"
        assert self.tags(client, f"/t/{tournament.pk}/")["og:description"].startswith(f"{match.home.name} won. ")

    def test_the_picture_is_where_the_tag_says(self, client: Client):
        address = self.tags(client, f"/t/{drawn(2).pk}/")["og:image"]
        assert client.get(address.removeprefix("http://testserver")).status_code == 200


def test_a_match_without_entrants_has_a_title():
    side = sentences.SideShown(None, None, "", "", "", "", "")
    assert sentences.match_title(type("M", (), {"home": side, "away": side})) == "To be decided – To be decided"
