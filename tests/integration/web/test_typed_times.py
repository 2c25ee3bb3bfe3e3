"""Whoever types a time types the one on their clock, whatever the form is about."""

import re
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from apps.accounts.models import ApiToken
from apps.web.typed_times import as_typed, end_of_day
from tests import factories

pytestmark = pytest.mark.django_db

BERLIN, ST_JOHNS = "Europe/Berlin", "America/St_Johns"
EVENING = datetime(2099, 7, 1, 16, 30, tzinfo=UTC)


@pytest.fixture
def olivia(visitor):
    return visitor(factories.make_user("olivia"))


@pytest.fixture
def cup(olivia):
    return factories.make_tournament(olivia.user, starts_at=EVENING)


def settings_of(person, cup, zone=""):
    if zone:
        person.client.cookies["zone"] = zone
    return person.open(f"/t/{cup.pk}/manage/settings/")


def save(person, cup, **typed):
    return person.send(f"/t/{cup.pk}/manage/settings/save/", **typed)


@pytest.mark.parametrize(
    ("zone", "shown", "named"),
    [
        ("", "16:30", "UTC"),
        (BERLIN, "18:30", BERLIN),
        (ST_JOHNS, "14:00", "America/St Johns"),
        ("Moon", "16:30", "UTC"),
    ],
)
def test_a_form_shows_a_time_in_the_zone_that_it_names_and_takes_it_back(olivia, cup, zone, shown, named):
    page = settings_of(olivia, cup, zone)
    assert f'name="starts_at" type="datetime-local" value="2099-07-01T{shown}"' in page.html
    assert f'<span translate="no">{named}</span>' in page.html
    save(olivia, cup)
    assert factories.fresh(cup).starts_at == EVENING
    settings_of(olivia, cup)
    save(olivia, cup, starts_at="2099-12-01T09:00")
    offset = {"": 0, BERLIN: 1, ST_JOHNS: -3.5, "Moon": 0}[zone]
    assert factories.fresh(cup).starts_at == datetime.fromtimestamp(
        datetime(2099, 12, 1, 9, tzinfo=UTC).timestamp() - offset * 3600, UTC
    )


def test_a_form_is_read_in_the_zone_that_stood_on_it(olivia, cup):
    """Whose first page is this form has told no zone when it is shown, and has told one when it is sent."""
    settings_of(olivia, cup)
    olivia.client.cookies["zone"] = BERLIN
    save(olivia, cup, starts_at="2099-12-01T09:00")
    assert factories.fresh(cup).starts_at == datetime(2099, 12, 1, 9, tzinfo=UTC)


def test_a_refused_form_keeps_its_time_and_its_zone(olivia, cup):
    settings_of(olivia, cup)
    olivia.client.cookies["zone"] = BERLIN
    save(olivia, cup, starts_at="2099-12-01T09:00", name=" ")
    assert olivia.response.status_code == 400
    assert 'value="2099-12-01T09:00"' in olivia.html
    assert re.findall(r'name="zone" value="([^"]*)"', olivia.html) == ["UTC"]


@pytest.mark.parametrize("zone", [BERLIN, "Asia/Tokyo"])
@pytest.mark.parametrize("typed", ["noon", "2099-13-01T09:00", "0001-01-01T00:00", "9999-12-31T23:59:59.9999999"])
def test_what_is_no_time_is_refused(olivia, cup, zone, typed):
    settings_of(olivia, cup, zone)
    save(olivia, cup, starts_at=typed)
    assert olivia.response.status_code in (200, 400)
    assert olivia.status in (302, 400)


def test_a_time_that_says_its_zone_is_taken_at_its_word(olivia, cup):
    settings_of(olivia, cup, BERLIN)
    save(olivia, cup, starts_at="2099-12-01T09:00-05:00")
    assert factories.fresh(cup).starts_at == datetime(2099, 12, 1, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-29T02:30", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # clocks go from 2 to 3: counted on from before
        ("2026-10-25T02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # shown twice: the first
    ],
)
def test_hours_that_clocks_skip_or_repeat_have_one_meaning(olivia, cup, text, instant):
    settings_of(olivia, cup, BERLIN)
    save(olivia, cup, starts_at=text)
    assert factories.fresh(cup).starts_at == instant


def test_a_token_ends_with_the_day_of_who_made_it(olivia):
    olivia.client.cookies["zone"] = BERLIN
    olivia.open(reverse("access")).send(reverse("create-token"), name="bot", scopes="read", expires_on="2099-12-31")
    assert ApiToken.objects.get().expires_at == datetime(2099, 12, 31, 22, 59, 59, tzinfo=UTC)
    assert "31 Dec 2099" in olivia.open(reverse("access")).text
    assert end_of_day("", BERLIN) is None


def test_nothing_is_typed_of_no_time():
    assert [as_typed(nothing, BERLIN) for nothing in (None, "")] == ["", ""]
