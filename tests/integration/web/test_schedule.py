"""The schedule's pages: what everybody sees, and what the staff does there without JavaScript."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.tournaments.models import Match, Role
from apps.tournaments.services import Actor, deadlines, matches, schedule, stations, tournaments
from engine.match_flow import Score
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def olivia(visitor):
    return visitor(factories.make_user("olivia"))


@pytest.fixture
def cup(olivia):
    """A tournament of four with two courts, planned for tomorrow."""
    cup = factories.drawn(4, olivia.user)
    for name in ("Court 1", "Court 2"):
        stations.add(Actor(olivia.user), cup.pk, name=name)
    schedule.plan(Actor(olivia.user), cup.pk, starts_at=timezone.now() + timedelta(days=1))
    return cup


def console(cup) -> str:
    return f"/t/{cup.pk}/manage/schedule/"


class TestThePublicPage:
    def test_says_where_and_when_everything_is_played(self, visitor, cup):
        page = visitor().open(f"/t/{cup.pk}/schedule/")
        final = factories.match_number(cup, 4)
        assert page.response.status_code == 200
        assert "Court 1 Next" in page.text
        assert f'datetime="{final.scheduled_at:%Y-%m-%dT%H:%M}:00.000Z"' in page.html
        assert "All of this is over at about" in page.text
        assert f'href="/t/{cup.pk}/schedule/"' in visitor().open(f"/t/{cup.pk}/").html

    def test_says_what_is_played_now_and_what_is_late(self, visitor, olivia, cup):
        first, second = factories.match_number(cup, 1), factories.match_number(cup, 2)
        matches.start(Actor(olivia.user), first.pk)
        Match.objects.filter(pk=second.pk).update(scheduled_at=timezone.now() - timedelta(minutes=20, seconds=30))
        text = visitor().open(f"/t/{cup.pk}/schedule/?region=schedule").text
        assert "Court 1 Now" in text
        assert "20 min late" in text or "21 min late" in text

    def test_without_a_plan_says_so_and_has_no_tab(self, visitor):
        cup = factories.drawn(2)
        assert "Nothing is planned yet" in visitor().open(f"/t/{cup.pk}/schedule/").text
        assert "/schedule/" not in visitor().open(f"/t/{cup.pk}/").html

    def test_a_match_says_where_and_when_it_is(self, visitor, olivia, cup):
        match = factories.match_number(cup, 1)
        schedule.call(Actor(olivia.user), match.pk)
        page = visitor().open(f"/m/{match.pk}/")
        assert "Court 1 called" in page.text
        assert not page.has_form(f"/m/{match.pk}/call/")


class TestTheConsole:
    def test_is_for_the_staff(self, visitor, cup):
        assert visitor(factories.make_user()).open(console(cup)).response.status_code == 403
        assert visitor().open(console(cup)).response.status_code == 302

    def test_from_stations_to_a_plan(self, olivia):
        cup = factories.drawn(4, olivia.user)
        base = console(cup)
        olivia.open(base).send(f"{base}stations/add/", name="Table A")
        table = cup.stations.get()
        olivia.send(f"{base}stations/{table.pk}/rename/", name="Table B")
        assert "The station was renamed." in olivia.text
        olivia.send(f"{base}plan/", starts_at="2099-11-22T18:00", match_minutes=20, rest_minutes=5)
        assert "The matches are planned." in olivia.text
        first = factories.match_number(cup, 1)
        assert (f"{first.scheduled_at:%Y-%m-%dT%H:%M}", first.station.name) == ("2099-11-22T18:00", "Table B")
        olivia.send(f"{base}stations/{table.pk}/remove/")
        assert not cup.stations.exists()
        assert factories.match_number(cup, 1).station is None

    def test_a_refused_plan_keeps_what_was_typed(self, olivia):
        cup = factories.drawn(2, olivia.user)
        olivia.open(console(cup)).send(f"{console(cup)}plan/", starts_at="2099-01-01T10:00", match_minutes=42)
        assert olivia.status == 400
        assert "no station to play on" in olivia.sentence
        assert olivia.form(f"{console(cup)}plan/")["match_minutes"] == "42"
        olivia.send(f"{console(cup)}plan/", starts_at="tomorrow")
        assert olivia.sentence == "Start: is not a time, for example 2026-11-22T18:00."

    def test_a_match_is_moved_unless_its_new_place_is_taken(self, olivia, cup):
        one, other = factories.match_number(cup, 1), factories.match_number(cup, 2)
        path = f"/m/{other.pk}/schedule/"
        fields = olivia.open(console(cup)).form(path)
        assert fields["scheduled_at"] == f"{other.scheduled_at:%Y-%m-%dT%H:%M}"
        olivia.post(path, fields | {"station": str(one.station_id)})
        assert olivia.status == 409
        assert "Court 1 would have two matches at once" in olivia.sentence
        olivia.open(console(cup)).post(path, olivia.form(path) | {"station": ""})
        assert "The match was moved." in olivia.text
        assert factories.match_number(cup, 2).station is None

    def test_entrants_are_called_and_their_match_says_so(self, olivia, cup):
        match = factories.match_number(cup, 1)
        olivia.open(console(cup)).send(f"/m/{match.pk}/call/")
        assert "The entrants were called." in olivia.text
        assert factories.match_number(cup, 1).called_at

    def test_a_referee_moves_and_calls_but_does_not_plan(self, visitor, cup):
        rita = visitor(factories.make_user("rita"))
        tournaments.add_member(Actor(cup.created_by), cup.pk, username="rita", role=Role.REFEREE)
        rita.open(console(cup))
        assert rita.has_form(f"/m/{factories.match_number(cup, 1).pk}/call/")
        assert not rita.has_form(f"{console(cup)}plan/")

    def test_a_deadline_is_moved_on_the_page_of_its_match(self, olivia):
        cup = factories.drawn(2, olivia.user)
        match = factories.match_number(cup, 1)
        matches.report(Actor(match.home.user), match.pk, Score(1, 0))
        before = factories.match_number(cup, 1).deadline_at
        olivia.open(f"/m/{match.pk}/").send(f"/m/{match.pk}/deadline/", minutes=120)
        assert factories.match_number(cup, 1).deadline_at > before + timedelta(hours=1)
        olivia.send(f"/m/{match.pk}/deadline/", minutes="soon")
        assert olivia.sentence == "Minutes: is not a whole number."


def test_what_nobody_did_was_done_by_the_clock(visitor):
    cup = factories.drawn(2)
    match = factories.match_number(cup, 1)
    matches.report(Actor(match.home.user), match.pk, Score(1, 0))
    deadlines.sweep(timezone.now() + timedelta(hours=1))
    page = visitor().open(f"/t/{cup.pk}/activity/")
    assert f"{match.home.name} won: {match.home.name} 1–0 {match.away.name}. by the clock" in page.text
    assert f"{match.home.name} reported: {match.home.name} 1–0 {match.away.name}. " in page.text
    assert f"reported: {match.home.name} 1–0 {match.away.name}. by the clock" not in page.text


def test_pages_cost_the_same_for_a_large_plan(olivia, cup, django_assert_max_num_queries):
    large = factories.drawn(32, olivia.user, capacity=32)
    stations.add(Actor(olivia.user), large.pk, name="Court 1")
    schedule.plan(Actor(olivia.user), large.pk)
    for one in (cup, large):
        for path in (f"/t/{one.pk}/schedule/", console(one)):
            with django_assert_max_num_queries(14):
                assert olivia.open(path).response.status_code == 200
