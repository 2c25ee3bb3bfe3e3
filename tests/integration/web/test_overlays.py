"""Overlays: who gets one, what it shows, and the page on which the staff finds them. All without scripts."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from apps.tournaments.models import Role
from apps.tournaments.selectors.overlays import KINDS, addresses_of
from apps.tournaments.services import Actor, entries, matches, on_stream, schedule, stations, tournaments, veto
from apps.web import overlay_options
from engine.match_flow import Score
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db


def seen(cup, kind="scoreboard", query="", **changed) -> str:
    """What an overlay says, "" when it shows nothing."""
    address = addresses_of(changed.get("key_of", cup))[kind] + query
    answer = Client().get(address.replace(f"/{changed.get('key_of', cup).pk}/", f"/{cup.pk}/"))
    assert answer.status_code == changed.get("status", 200), answer.content
    body = re.sub(r"<script.*?</script>|<title>.*?</title>", "", answer.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def put_on_stream(cup, number):
    match = factories.match_number(cup, number)
    on_stream.set_on_stream(Actor(cup.created_by), cup.pk, match_id=match.pk)
    return match


class TestTheKey:
    def test_opens_the_overlays_of_its_tournament_and_of_no_other(self):
        cup, other = factories.drawn(2), factories.drawn(2)
        seen(cup)
        assert "This overlay has ended." in seen(cup, key_of=other, status=404)

    @pytest.mark.parametrize("key", ["", "x", "é", "a" * 43, "a" * 5000, "%00"])
    def test_is_nothing_that_one_can_make_up(self, key):
        cup = factories.drawn(2)
        assert Client().get(f"/overlay/{cup.pk}/scoreboard/?key={key}").status_code == 404
        assert Client().get(f"/overlay/999999/scoreboard/?key={key}").status_code == 404

    def test_that_was_renewed_opens_nothing_any_more(self):
        cup = factories.drawn(2)
        before = addresses_of(cup)["next"]
        on_stream.renew_overlays(Actor(cup.created_by), cup.pk)
        assert Client().get(before).status_code == 404
        assert Client().get(addresses_of(factories.fresh(cup))["next"]).status_code == 200

    def test_shows_a_draft_that_nobody_else_can_see(self):
        cup = factories.make_tournament(starts_at=timezone.now() + timezone.timedelta(hours=1))
        assert "Starts in" in seen(cup, "check-in")
        assert Client().get(f"/t/{cup.pk}/").status_code == 404
        room = {"room": f"tournament:{cup.pk}"}
        assert Client().post("/api/v1/realtime/token", room, "application/json").status_code == 404

    def test_gives_the_state_that_the_public_room_gives_and_no_more(self):
        cup = factories.drawn(2)
        html = Client().get(addresses_of(cup)["scoreboard"]).content.decode()
        assert '"staff": {}' in html


class TestAnOverlay:
    def test_may_be_framed_by_the_console_and_takes_the_css_that_obs_puts_in(self):
        answer = Client().get(addresses_of(factories.drawn(2))["next"])
        policy = answer["Content-Security-Policy"]
        assert "frame-ancestors 'self'" in policy
        assert "style-src 'self' 'unsafe-inline'" in policy
        assert "script" not in policy, "scripts come from the site alone"
        assert "X-Frame-Options" not in answer

    def test_follows_the_match_on_stream_and_keeps_its_result(self):
        cup = factories.drawn(4)
        assert seen(cup) == ""
        match = put_on_stream(cup, 1)
        assert seen(cup).startswith(f"Ready Semi-finals {match.home.name} {match.away.name}")
        matches.start(Actor(cup.created_by), match.pk)
        matches.finish(Actor(cup.created_by), match.pk, Score(3, 1))
        assert seen(cup) == f"Finished Semi-finals {match.home.name} 3 1 {match.away.name}"
        put_on_stream(cup, 2)
        assert match.home.name not in seen(cup)

    def test_of_one_match_or_one_station_follows_that(self):
        cup = factories.drawn(8)
        by = Actor(cup.created_by)
        court = stations.add(by, cup.pk, name="Court").ids["station_id"]
        first, second, third = (factories.match_number(cup, number) for number in (1, 2, 3))
        put_on_stream(cup, 3)
        assert third.home.name in seen(cup)
        assert first.home.name in seen(cup, query=f"&match={first.pk}")
        assert seen(cup, query=f"&station={court}") == ""
        for match in (first, second):
            schedule.schedule(by, match.pk, station_id=court)
        assert first.home.name in seen(cup, query=f"&station={court}"), "the one that comes first"
        schedule.call(by, second.pk)
        assert second.home.name in seen(cup, query=f"&station={court}"), "the one that was called"
        matches.start(by, second.pk)
        matches.finish(by, second.pk, Score(1, 0))
        assert "Finished" in seen(cup, query=f"&station={court}"), "the last result, until the next one is called"
        matches.start(by, first.pk)
        assert first.home.name in seen(cup, query=f"&station={court}")

    @pytest.mark.parametrize("format", list(Format))
    def test_of_every_kind_shows_every_format_in_few_queries(self, format, django_assert_max_num_queries):
        cup = factories.drawn(6, format=format, stage={"veto": {"pool": ["Bind", "Haven"]}})
        factories.play(cup, matches_at_most=2)
        match = put_on_stream(cup, 1)
        ready = cup.matches.filter(state="ready").first()
        veto.start(Actor(cup.created_by), ready.pk)
        shown = {}
        for kind in KINDS:
            with django_assert_max_num_queries(8):
                shown[kind] = seen(cup, kind, f"&match={ready.pk}" if kind == "veto" else "")
        names = match.home.name, match.away.name
        assert all(name in shown["scoreboard"] and name in shown["results"] for name in names)
        assert bool(shown["standings"]) == format.is_league
        assert bool(shown["bracket"]) != format.is_league
        assert shown["next"].startswith("Next up")
        assert "calls the coin" in shown["veto"]
        assert shown["check-in"] == ""

    def test_of_a_bracket_shows_where_the_two_come_from_and_where_the_winner_goes(self):
        cup = factories.drawn(8)
        factories.play(cup, matches_at_most=4)
        put_on_stream(cup, 5)
        assert re.findall("Quarter-finals|Semi-finals|Final", seen(cup, "bracket")) == [
            "Quarter-finals", "Quarter-finals", "Semi-finals", "Final",
        ]  # fmt: skip

    def test_lists_as_many_rows_as_its_address_says(self):
        cup = factories.drawn(16)
        factories.play(cup, matches_at_most=6)
        for rows in (1, 3):
            assert seen(cup, "results", f"&rows={rows}").count("Round of 16") == rows
        assert seen(cup, "results", "&rows=99").count("Round of 16") == 6, "as many as there are"

    def test_whose_address_says_something_odd_is_as_if_it_did_not(self):
        cup = factories.drawn(4)
        put_on_stream(cup, 1)
        odd = "&theme=red&scale=7&position=up&rows=-1&match=x&station=%D9%A1&stage=9e9&group=&preview=2"
        for kind in KINDS:
            assert seen(cup, kind, odd) == seen(cup, kind)

    def test_shows_names_as_text(self):
        cup = factories.open_with_entries(1)
        entries.add(Actor(cup.created_by), cup.pk, name="<img src=x onerror=alert(1)>")
        factories.draw(cup)
        put_on_stream(cup, 1)
        assert b"<img" not in Client().get(addresses_of(cup)["scoreboard"]).content

    def test_has_no_session_to_ask(self):
        assert not Client().get(addresses_of(factories.drawn(2))["scoreboard"]).cookies


class TestTheConsole:
    def test_has_every_overlay_with_its_address_and_a_preview(self, visitor, django_assert_max_num_queries):
        cup = factories.drawn(4)
        person = visitor(cup.created_by)
        with django_assert_max_num_queries(12):
            person.open(f"/t/{cup.pk}/manage/overlays/")
        for kind, address in addresses_of(cup).items():
            assert f'value="http://testserver{address}"' in person.html, kind
            assert f'src="http://testserver{address}&amp;preview=1"' in person.html
        assert set(KINDS) == set(overlay_options.KINDS)
        assert person.response["Cache-Control"] == "no-store"

    def test_puts_what_is_chosen_into_the_address_without_scripts(self, visitor):
        cup = factories.drawn(4)
        path = f"/t/{cup.pk}/manage/overlays/"
        person = visitor(cup.created_by).open(f"{path}?kind=next&theme=light&position=&scale=125&rows=6&station=")
        address = addresses_of(cup)["next"]
        assert f'value="http://testserver{address}&amp;theme=light&amp;scale=125&amp;rows=6"' in person.html
        assert f'value="http://testserver{addresses_of(cup)["results"]}"' in person.html, "the others stay"

    def test_says_where_nothing_is_to_be_seen_what_would_be(self):
        cup = factories.drawn(2)
        assert seen(cup, query="&preview=1").startswith("No match is on stream.")

    def test_renews_the_addresses(self, visitor):
        cup = factories.drawn(2)
        before = addresses_of(cup)
        person = visitor(cup.created_by).open(f"/t/{cup.pk}/manage/overlays/")
        person.send(f"/t/{cup.pk}/manage/overlays/renew/")
        assert "Those from before have ended." in person.text
        assert before["next"] not in person.html
        assert addresses_of(factories.fresh(cup))["next"] in person.html

    def test_is_for_the_staff_and_renewing_for_organisers(self, visitor):
        cup = factories.drawn(2)
        path, referee = f"/t/{cup.pk}/manage/overlays/", factories.make_user()
        tournaments.add_member(Actor(cup.created_by), cup.pk, username=referee.username, role=Role.REFEREE)
        assert visitor(factories.match_number(cup, 1).home.user).open(path).response.status_code == 403
        assert not visitor(referee).open(path).has_form(f"{path}renew/")

    def test_the_board_and_the_match_put_a_match_on_stream_in_one_click(self, visitor):
        cup = factories.drawn(4)
        match, action = factories.match_number(cup, 2), f"/t/{cup.pk}/manage/on-stream/"
        board = visitor(cup.created_by).open(f"/t/{cup.pk}/manage/")
        board.send(action, match=match.pk)
        assert "The match is on stream." in board.text
        assert "On stream take off" in board.text
        assert factories.fresh(cup).on_stream == match
        page = visitor(cup.created_by).open(f"/m/{match.pk}/")
        page.send(action, match="")
        assert page.response.request["PATH_INFO"] == f"/m/{match.pk}/"
        assert factories.fresh(cup).on_stream is None
        assert not visitor(match.home.user).open(f"/m/{match.pk}/").has_form(action)
        board.open(f"/t/{cup.pk}/manage/").send(action, match="٣")
        assert board.sentence == "Choose one of the matches."


class TestTheApi:
    def test_shows_a_match_on_stream_and_gives_the_addresses(self, client):
        cup = factories.drawn(4)
        match = factories.match_number(cup, 1)
        client.force_login(cup.created_by)
        answer = client.put(f"/api/v1/tournaments/{cup.pk}/on-stream", {"match": match.pk}, "application/json")
        assert answer.json()["tournament"]["on_stream"] == match.pk
        assert client.get(f"/api/v1/tournaments/{cup.pk}/overlays").json()["addresses"] == addresses_of(cup)
        assert Client().get(f"/api/v1/tournaments/{cup.pk}/overlays").status_code == 401
        renewed = client.post(f"/api/v1/tournaments/{cup.pk}/overlays/renew", content_type="application/json").json()[
            "addresses"
        ]
        assert renewed == addresses_of(factories.fresh(cup)) != addresses_of(cup)


class TestTheLanguage:
    @pytest.mark.parametrize(
        ("lang", "language"), [("de", "de"), ("en", "en"), ("", "de"), ("xx", "de"), ("de/x", "de")]
    )
    def test_is_what_the_address_names_else_what_the_program_asks_for(self, lang, language):
        cup = factories.drawn(2)
        german = {"accept-language": "de"}
        for address in (f"{addresses_of(cup)['check-in']}&lang={lang}", f"/embed/t/{cup.pk}/bracket/?lang={lang}"):
            answer = Client().get(address, headers=german)
            assert answer["Content-Language"] == language
            assert f'<html lang="{language}"' in answer.content.decode()
            part = Client().get(f"{address}&region={'overlay' if 'key' in address else 'embed'}", headers=german)
            assert part["Content-Language"] == language
