"""Schedules as programs read them: what is in them, who may, and what they are told when nothing has changed."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.test import Client

from apps.integrations import calendars
from apps.tournaments.events import MatchScheduled
from apps.tournaments.models import Match, Station
from apps.tournaments.services import Actor, matches, tournaments
from apps.tournaments.services.unit import Unit, present
from engine.match_flow import Score
from engine.stages import Format
from tests import factories
from tests.icalendar import read

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 28, 14, 0, tzinfo=UTC)


@pytest.fixture
def cup(settings):
    settings.SITE_URL = "https://cup.example.org"
    return factories.drawn(3, name="Cup; of, names")


def schedule(match, at=AT, station=None):
    """Give a match a time, as the schedule does."""
    with transaction.atomic():
        unit = Unit("start_match", Actor(match.tournament.created_by), present())
        unit.lock(match.tournament_id)
        row = unit.watch(Match.objects.get(pk=match.pk))
        row.scheduled_at, row.station = at, station
        unit.emit(MatchScheduled(match=unit.save(row)))
        unit.finish({}, fingerprint="")


def get(path, client=None, **headers):
    return (client or Client()).get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})


def test_the_matches_that_have_a_time(cup):
    semi, final = (factories.match_number(cup, number) for number in (1, 2))
    schedule(semi, station=Station.objects.create(tournament=cup, name="Table 4, left"))
    schedule(final, AT + timedelta(hours=1))
    answer = get(f"/t/{cup.pk}/schedule.ics")
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    calendar = read(answer.content)
    first, second = calendar.events
    known = next(entry.name for entry in (final.home, final.away) if entry)
    assert calendar.values["NAME"] == "Cup; of, names"
    assert first["SUMMARY"] == f"{semi.home.name} – {semi.away.name} · Cup; of, names"
    assert known in second["SUMMARY"]
    assert "to be decided" in second["SUMMARY"]
    assert (first["DTSTART"], first["DTEND"]) == ("20261128T140000Z", "20261128T143000Z")
    assert first["LOCATION"] == "Table 4, left"
    assert (first["UID"], first["URL"]) == (f"match-{semi.pk}@cup.example.org", f"https://cup.example.org/m/{semi.pk}/")
    assert (first["STATUS"], second["STATUS"]) == ("CONFIRMED", "TENTATIVE")
    assert first["SEQUENCE"] == str(Match.objects.get(pk=semi.pk).version)


def test_a_match_stays_the_same_entry_and_each_change_counts(cup):
    semi = factories.match_number(cup, 1)
    schedule(semi)
    [before] = read(get(f"/t/{cup.pk}/schedule.ics").content).events
    schedule(semi, AT + timedelta(hours=2))
    [after] = read(get(f"/t/{cup.pk}/schedule.ics").content).events
    assert before["UID"] == after["UID"]
    assert int(after["SEQUENCE"]) == int(before["SEQUENCE"]) + 1
    assert after["DTSTART"] == "20261128T160000Z"


def test_what_will_not_be_played_is_cancelled():
    cup = factories.drawn(3, format=Format.ROUND_ROBIN)
    first, second = (factories.match_number(cup, number) for number in (1, 2))
    schedule(first)
    matches.cancel(Actor(cup.created_by), first.pk)
    schedule(second)
    states = [event["STATUS"] for event in read(get(f"/t/{cup.pk}/schedule.ics").content).events]
    assert states.count("CANCELLED") == 1
    tournaments.cancel(Actor(cup.created_by), cup.pk)
    states = [event["STATUS"] for event in read(get(f"/t/{cup.pk}/schedule.ics").content).events]
    assert set(states) == {"CANCELLED"}


def test_who_has_it_already_is_told_so(cup):
    semi, path = factories.match_number(cup, 1), f"/t/{cup.pk}/schedule.ics"
    schedule(semi)
    answer = get(path)
    assert get(path).content == answer.content
    by_tag = get(path, If_None_Match=answer["ETag"])
    assert (by_tag.status_code, by_tag.content, by_tag["ETag"]) == (304, b"", answer["ETag"])
    assert get(path, If_Modified_Since=answer["Last-Modified"]).status_code == 304
    matches.start(Actor(cup.created_by), semi.pk)
    matches.finish(Actor(cup.created_by), semi.pk, Score(1, 0))
    changed = get(path, If_None_Match=answer["ETag"])
    assert changed.status_code == 200
    assert changed["ETag"] != answer["ETag"]


def test_an_empty_schedule_is_a_calendar(cup):
    assert read(get(f"/t/{cup.pk}/schedule.ics").content).events == []


def test_a_draft_has_none_for_others():
    draft = factories.make_tournament()
    assert get(f"/t/{draft.pk}/schedule.ics").status_code == 404
    staff = Client()
    staff.force_login(draft.created_by)
    assert get(f"/t/{draft.pk}/schedule.ics", staff).status_code == 200
    assert get("/t/999999/schedule.ics").status_code == 404


class TestOnesOwn:
    @pytest.fixture
    def ann(self, cup):
        return factories.match_number(cup, 1).home.user

    def test_has_the_matches_of_all_tournaments_and_nobody_elses(self, cup, ann):
        other = factories.open_with_entries(1)
        factories.enter(other, ann)
        factories.draw(other)
        for tournament in (cup, other):
            for match in tournament.matches.all():
                schedule(match, AT + timedelta(hours=match.pk))
        calendar = read(get(calendars.path_of(calendars.new_token(ann))).content)
        assert calendar.values["NAME"] == f"Matches of {ann.username}"
        mine = Match.objects.filter(home__user=ann) | Match.objects.filter(away__user=ann)
        assert {event["UID"] for event in calendar.events} == {f"match-{match.pk}@cup.example.org" for match in mine}
        assert len(calendar.events) == 2

    def test_its_address_is_good_until_there_is_a_new_one_or_none(self, ann):
        first = calendars.path_of(calendars.new_token(ann))
        assert get(first).status_code == 200
        second = calendars.path_of(calendars.new_token(ann))
        assert (get(first).status_code, get(second).status_code) == (404, 200)
        calendars.end(ann)
        assert get(second).status_code == 404

    def test_ends_with_the_account(self, ann):
        path = calendars.path_of(calendars.new_token(ann))
        ann.is_active = False
        ann.save()
        assert get(path).status_code == 404

    @pytest.mark.parametrize("query", ["", "?token=", "?token=x", "?token=%00", "?token=" + "x" * 5000])
    def test_nobody_guesses_one(self, ann, query):
        calendars.new_token(ann)
        assert get("/me/schedule.ics" + query).status_code == 404

    def test_a_cookie_is_no_token(self, ann):
        browser = Client()
        browser.force_login(ann)
        assert get("/me/schedule.ics", browser).status_code == 404

    def test_matches_of_a_draft_are_left_out(self, cup, ann):
        schedule(factories.match_number(cup, 1))
        path = calendars.path_of(calendars.new_token(ann))
        assert len(read(get(path).content).events) == 1
        cup.status = "draft"
        cup.save()
        assert read(get(path).content).events == []


def test_queries_do_not_grow_with_the_matches(django_assert_max_num_queries, cup):
    league = factories.drawn(6, format=Format.ROUND_ROBIN)
    for match in league.matches.all():
        schedule(match)
    person = league.matches.first().home.user
    with django_assert_max_num_queries(4):
        calendars.of_tournament(person, league.pk)
    token = calendars.new_token(person)
    with django_assert_max_num_queries(3):
        calendars.of_token(token)
