"""Whoever reads a page reads it in their language and sees times in their zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone, translation

from apps.errors import BadRequest
from apps.words import moment, ngettext, remembered, said
from engine.standings import Reason
from engine.text import Listed
from engine.text import gettext as _
from engine.text import ngettext as counted
from engine.tiebreaks import Part
from tests import factories

GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.8"}
NOON = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)


@pytest.mark.django_db
class TestPages:
    def test_a_page_is_in_the_language_that_the_browser_asks_for(self, client: Client):
        page = client.get("/", headers={"accept-language": "de-AT,de;q=0.8"})
        assert '<html lang="de" dir="ltr"' in page.content.decode()
        assert page["Content-Language"] == "de"
        assert {"Accept-Language", "Cookie"} <= set(page["Vary"].split(", "))
        assert '<html lang="en"' in client.get("/", headers={"accept-language": "fr"}).content.decode()

    def test_a_language_that_was_chosen_stays(self, client: Client):
        client = Client(enforce_csrf_checks=True)
        answer = client.post("/language/", {"language": "de", "next": "/teams/"})
        assert (answer.status_code, answer["Location"]) == (302, "/teams/")
        assert 'lang="de"' in client.get("/", headers={"accept-language": "en"}).content.decode()
        client.post("/language/", {"language": "en"})
        assert '<html lang="en"' in client.get("/", headers={"accept-language": "de"}).content.decode()

    def test_the_language_of_an_answer_ends_with_it(self, client: Client):
        client.get("/", headers={"accept-language": "de"})
        assert translation.get_language() == "en"
        assert timezone.get_current_timezone_name() == "UTC"

    def test_scripts_get_words_where_the_language_is_not_english(self, client: Client):
        assert 'id="words"' not in client.get("/").content.decode()
        assert 'id="words"' in client.get("/", headers={"accept-language": "de"}).content.decode()

    def test_a_style_sheet_of_colours_is_the_same_in_every_language(self, client: Client):
        assert "Vary" not in client.get("/accent/2f6fed.css")


@pytest.mark.django_db
class TestZones:
    def page(self, client: Client, zone: str) -> str:
        if zone:
            client.cookies["zone"] = zone
        cup = factories.publish(factories.make_tournament(starts_at=NOON))
        return client.get(f"/t/{cup.pk}/").content.decode()

    def test_times_are_in_the_zone_that_the_browser_has_told(self, client: Client):
        assert 'data-when="datetime" data-zoned>Sun 22 Nov 2026, 13:05 CET</time>' in self.page(client, "Europe/Berlin")

    @pytest.mark.parametrize("zone", ["", "Moon/Base", "../../etc/passwd", "Europe/" + "x" * 5000])
    def test_without_a_zone_or_with_none_that_exists_they_are_in_utc(self, client: Client, zone: str):
        assert 'data-when="datetime">Sun 22 Nov 2026, 12:05 UTC</time>' in self.page(client, zone)

    @pytest.mark.parametrize(
        ("zone", "said"),
        [
            ("Asia/Kathmandu", "22 Nov 2026, 17:50 UTC+5:45"),
            ("America/Sao_Paulo", "22 Nov 2026, 09:05 UTC-3"),
            ("America/New_York", "22 Nov 2026, 07:05 EST"),
        ],
    )
    def test_a_zone_without_a_name_says_how_far_it_is_from_utc(self, zone: str, said: str):
        with timezone.override(ZoneInfo(zone)):
            assert moment(NOON) == said

    def test_a_time_of_another_day_says_which(self, client: Client, django_user_model):
        with timezone.override(ZoneInfo("Europe/Berlin")):
            assert moment(NOON + timedelta(days=1), "day", zone=False) == "23 Nov, 13:05"


class TestSentences:
    """What is raised far below a page is said in English to a log, and in the reader's language on the page."""

    def test_an_error_is_english_until_somebody_reads_it(self):
        error = BadRequest(_("The {label} is missing.", label=_("name")))
        assert error.message == str(error) == "The name is missing."
        with translation.override("de"):
            assert error.message == "The name is missing."

    def test_numbers_are_written_as_the_language_writes_them(self):
        reason = Reason(other=2, part=Part.parse("buchholz_cut1"), own=13, others=11.5)
        assert said(reason.text({2: "Ada"})) == "above Ada by Buchholz Cut-1, 13.0 to 11.5"
        with translation.override("de"):
            assert "13,0" in said(reason.text({2: "Ada"}))
            assert "11,5" in said(reason.text({2: "Ada"}))

    def test_one_and_many_are_told_apart(self):
        assert [said(counted("{count} game", "{count} games", n)) for n in (1, 2)] == ["1 game", "2 games"]
        assert ngettext("{count} game", "{count} games", 1) == "1 game"

    def test_what_fills_a_sentence_in_is_no_sentence(self):
        braces = _("{a} and {b}", a="{b}", b="%(count)s {0}")
        assert said(braces) == braces == "{b} and %(count)s {0}"
        assert said(Listed([_("one"), 2.5, "c"])) == "one, 2.5, c"

    def test_a_sentence_that_was_kept_is_found_again(self):
        assert remembered("It answered 503.") == "It answered 503."
        assert remembered("Something 1 that 2 nobody knows.") == "Something 1 that 2 nobody knows."


@pytest.mark.django_db
def test_an_error_of_the_api_keeps_its_code_in_every_language(client: Client):
    answers = [client.get("/api/v1/tournaments/999999", headers={"accept-language": one}) for one in ("en", "de")]
    assert [answer.json()["code"] for answer in answers] == ["not_found", "not_found"]
    assert answers[0].json()["detail"] == "There is no such tournament."
