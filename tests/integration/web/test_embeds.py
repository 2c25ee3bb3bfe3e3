"""What other sites show of a tournament: pages for their frames, and what oEmbed says about ours."""

import html
import re
from urllib.parse import quote

import pytest
from django.test import Client

from apps.tournaments.services import Actor, entries
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db

SITE = "http://testserver"


@pytest.fixture
def cup():
    cup = factories.drawn(4, name="Cup & Co")
    factories.play(cup, matches_at_most=2)
    return cup


def embeds(cup, match):
    return [f"/embed/t/{cup.pk}/{part}/" for part in ("bracket", "standings", "matches", f"matches/{match.pk}")]


def oembed(url, **query):
    more = "".join(f"&{name}={value}" for name, value in query.items())
    return Client().get(f"/oembed?url={quote(url, safe='')}{more}")


class TestEmbeds:
    @pytest.mark.parametrize("format", list(Format))
    def test_can_be_framed_anywhere_and_cost_little(self, format, django_assert_max_num_queries):
        cup = factories.drawn(4, format=format)
        match = factories.match_number(cup, 1)
        for path in embeds(cup, match):
            with django_assert_max_num_queries(9):
                answer = Client().get(path)
            assert answer.status_code == 200
            assert "frame-ancestors *" in answer["Content-Security-Policy"]
            assert "X-Frame-Options" not in answer
            assert '<base target="_blank">' in answer.content.decode()
            shown = re.sub(r"<script.*?</script>", "", answer.content.decode(), flags=re.DOTALL)
            assert (match.home.name in shown) == (format.is_league or "standings" not in path)

    def test_every_other_page_cannot(self, client, cup):
        match = factories.match_number(cup, 1)
        client.force_login(cup.created_by)
        for path in ("/", f"/t/{cup.pk}/", f"/t/{cup.pk}/bracket/", f"/m/{match.pk}/", f"/t/{cup.pk}/manage/overlays/"):
            answer = client.get(path)
            assert answer["X-Frame-Options"] == "DENY"
            assert "frame-ancestors *" not in answer.get("Content-Security-Policy", "")
        assert Client().get("/embed/t/999999/bracket/")["X-Frame-Options"] == "DENY"

    def test_are_the_same_whoever_looks(self, client, cup):
        path = f"/embed/t/{cup.pk}/bracket/"
        client.force_login(cup.created_by)
        own, others = (re.sub(r"as of .*", "", who.get(path).content.decode()) for who in (client, Client()))
        assert own == others
        assert "<form" not in own

    def test_of_a_draft_are_not_there_for_its_organiser_either(self, client):
        cup = factories.make_tournament()
        client.force_login(cup.created_by)
        assert client.get(f"/embed/t/{cup.pk}/bracket/").status_code == 404

    def test_of_a_match_need_a_match_of_that_tournament(self, cup):
        other = factories.match_number(factories.drawn(2), 1)
        assert Client().get(f"/embed/t/{cup.pk}/matches/{other.pk}/").status_code == 404

    def test_are_light_or_dark_as_the_address_says(self, cup):
        path = f"/embed/t/{cup.pk}/matches/"
        assert 'data-theme="dark"' in Client().get(f"{path}?theme=dark").content.decode()
        assert "data-theme" not in Client().get(f"{path}?theme=%22x").content.decode()

    def test_have_parts_that_can_be_asked_for(self, cup):
        for path in embeds(cup, factories.match_number(cup, 1)):
            answer = Client().get(f"{path}?region=embed")
            assert answer["X-Position"]
            assert b"<html" not in answer.content


class TestOEmbed:
    def test_answers_what_the_specification_asks_for(self, cup):
        answer = oembed(f"{SITE}/t/{cup.pk}/", format="json")
        assert answer["Content-Type"] == "application/json"
        body = answer.json()
        assert (body["version"], body["type"], body["title"]) == ("1.0", "rich", "Cup & Co")
        assert body["provider_name"] == "DeltaCrown"
        source = html.unescape(re.search(r'src="([^"]+)"', body["html"]).group(1))
        assert source == f"{SITE}/embed/t/{cup.pk}/bracket/"
        assert Client().get(source).status_code == 200
        assert f'width="{body["width"]}" height="{body["height"]}"' in body["html"]
        assert 'title="Cup &amp; Co"' in body["html"]

    def test_stands_in_for_each_public_page(self, cup):
        match = factories.match_number(cup, 1)
        for page, part in (
            (f"/t/{cup.pk}/bracket/?stage=1", "bracket/?stage=1"),
            (f"/t/{cup.pk}/matches/", "matches/"),
            (f"/m/{match.pk}/", f"matches/{match.pk}/"),
        ):
            assert f"/embed/t/{cup.pk}/{part}" in oembed(SITE + page).json()["html"]
        assert oembed(f"{SITE}/m/{match.pk}/").json()["title"].startswith(f"{match.home.name} – {match.away.name}")

    def test_is_never_larger_than_was_asked_for(self, cup):
        body = oembed(f"{SITE}/t/{cup.pk}/", maxwidth=320, maxheight=9999).json()
        assert (body["width"], body["height"]) == (320, 520)
        assert oembed(f"{SITE}/t/{cup.pk}/", maxheight=100).json()["height"] == 100
        for size in ("0", "-1", "x", "9" * 99):
            assert oembed(f"{SITE}/t/{cup.pk}/", maxwidth=size).status_code == 400

    def test_speaks_json_alone(self, cup):
        assert oembed(f"{SITE}/t/{cup.pk}/", format="xml").status_code == 501
        assert oembed(f"{SITE}/t/{cup.pk}/").status_code == 200

    @pytest.mark.parametrize(
        "url",
        [
            "", "x", "/t/{pk}/", "http://other.example/t/{pk}/", "ftp://testserver/t/{pk}/", "http://[/t/{pk}/",
            SITE + "/t/999999/", SITE + "/me/", SITE + "/t/{pk}/manage/", SITE + "/t/{pk}/entries/1/",
            SITE + "/m/999999/",
            "javascript:alert(1)",
        ],
    )  # fmt: skip
    def test_says_404_to_what_is_not_a_public_page_of_ours(self, cup, url):
        assert oembed(url.format(pk=cup.pk)).status_code == 404

    def test_does_not_tell_that_a_draft_exists(self):
        draft = factories.make_tournament()
        one, none = oembed(f"{SITE}/t/{draft.pk}/"), oembed(f"{SITE}/t/999999/")
        assert (one.status_code, one.content) == (none.status_code, none.content)

    def test_is_found_from_the_pages_that_it_is_about(self, visitor, cup):
        for path in (f"/t/{cup.pk}/", f"/t/{cup.pk}/bracket/", f"/m/{factories.match_number(cup, 1).pk}/"):
            page = visitor().open(path)
            (link,) = re.findall(r'<link rel="alternate" type="application/json\+oembed"[^>]+href="([^"]+)"', page.html)
            assert Client().get(html.unescape(link).removeprefix(SITE)).json()["type"] == "rich"

    def test_a_draft_is_not_offered_to_others(self, visitor):
        cup = factories.make_tournament()
        page = visitor(cup.created_by).open(f"/t/{cup.pk}/")
        assert "oembed" not in page.html
        assert "iframe" not in page.html


def test_the_public_page_offers_the_snippet_without_scripts(visitor, cup):
    entries.update(Actor(cup.created_by), cup.entries.first().pk, name="Ada")
    page = visitor().open(f"/t/{cup.pk}/")
    (snippet,) = re.findall(r"<textarea[^>]*data-copied[^>]*>(.*?)</textarea>", page.html, flags=re.DOTALL)
    assert html.unescape(snippet).startswith(f'<iframe src="{SITE}/embed/t/{cup.pk}/bracket/" title="Cup &amp; Co"')
