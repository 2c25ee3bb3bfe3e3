"""Entering, waiting, claiming, deciding who gets in: with the forms of the pages, without JavaScript."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.tournaments.models import Entry, EntryStatus, StageEntry
from apps.tournaments.services import Actor, entries, tournaments
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def olivia(visitor):
    return visitor(factories.make_user("olivia"))


def entry_of(name):
    return Entry.objects.get(name=name)


def console(cup):
    return f"/t/{cup.pk}/manage/entrants/"


class TestRules:
    def test_an_organiser_says_who_gets_in(self, olivia):
        cup = factories.make_tournament(olivia.user, game="Chess")
        olivia.open(console(cup))
        olivia.send(
            f"{console(cup)}rules/",
            entry_rule="invite",
            invite_code="",
            rating_min="20.5",
            claim_minutes=30,
            late_entry="on",
            check_in_opens_at="2026-12-01T18:00",
            no_show_rule="walkover",
        )
        assert "Saved who gets in." in olivia.text
        cup = factories.fresh(cup)
        assert (cup.entry_rule, cup.rating_min, cup.claim_minutes, cup.late_entry) == ("invite", 20.5, 30, True)
        assert f"The invite code is {cup.invite_code}" in olivia.text
        form = olivia.form(f"{console(cup)}rules/")
        assert (form["entry_rule"], form["check_in_opens_at"]) == ("invite", "2026-12-01T18:00")
        olivia.send(f"{console(cup)}new-code/")
        assert factories.fresh(cup).invite_code not in ("", cup.invite_code)

    def test_what_is_wrong_is_said_and_nothing_is_lost(self, olivia):
        cup = factories.make_tournament(olivia.user)
        olivia.open(console(cup)).send(f"{console(cup)}rules/", claim_minutes="soon", invite_code="Hush")
        assert olivia.sentence == "Minutes to claim a place: is not a number."
        assert olivia.form(f"{console(cup)}rules/")["invite_code"] == "Hush"
        olivia.send(f"{console(cup)}rules/", claim_minutes=5, check_in_opens_at="tomorrow")
        assert "is not a time" in olivia.sentence

    def test_who_takes_part_is_not_asked_once_somebody_does(self, olivia):
        cup = factories.open_with_entries(1, olivia.user)
        assert "participation" not in olivia.open(console(cup)).form(f"{console(cup)}rules/")
        olivia.send(f"{console(cup)}rules/", claim_minutes=7)
        assert factories.fresh(cup).claim_minutes == 7

    def test_the_code_is_for_organisers(self, olivia, visitor):
        cup = factories.open_registration(
            factories.make_tournament(olivia.user, entry_rule="invite", invite_code="Hush-hush")
        )
        rita = factories.make_user("rita")
        tournaments.add_member(Actor(olivia.user), cup.pk, username="rita", role=2)
        assert "Hush-hush" in olivia.open(console(cup)).html
        for person in (rita, factories.make_user(), None):
            for path in ("", "entrants/", "manage/entrants/"):
                assert "Hush-hush" not in visitor(person).open(f"/t/{cup.pk}/{path}").html


class TestEntering:
    def test_with_the_code(self, visitor):
        cup = factories.open_registration(factories.make_tournament(entry_rule="invite", invite_code="Spring"))
        ann = visitor(factories.make_user("ann")).open(f"/t/{cup.pk}/")
        ann.send(f"/t/{cup.pk}/register/", name="Ann", code="Autumn")
        assert ann.sentence.startswith("Only who was invited can enter.")
        form = ann.form(f"/t/{cup.pk}/register/")
        assert (form["name"], form["code"]) == ("Ann", "Autumn")
        ann.send(f"/t/{cup.pk}/register/", code="spring")
        assert "You are registered." in ann.text

    def test_where_an_organiser_decides(self, olivia, visitor):
        cup = factories.open_registration(factories.make_tournament(olivia.user, entry_rule="approval"))
        ann, ben = (visitor(factories.make_user(name)) for name in ("ann", "ben"))
        for person in (ann, ben):
            person.open(f"/t/{cup.pk}/").send(f"/t/{cup.pk}/register/")
            assert "You have asked to enter. An organiser decides." in person.text
            assert "An organiser decides whether you take part." in person.text
        path = f"/t/{cup.pk}/entries"
        olivia.open(console(cup)).send(f"{path}/{entry_of('ann').pk}/approve/")
        olivia.send(f"{path}/{entry_of('ben').pk}/decline/")
        assert "You are in." in ann.open(f"/t/{cup.pk}/").text
        assert "An organiser has declined your registration." in ben.open(f"/t/{cup.pk}/").text
        assert not ben.has_form(f"/t/{cup.pk}/register/")
        olivia.open(f"{path}/{entry_of('ben').pk}/").send(f"{path}/{entry_of('ben').pk}/approve/")
        assert "You are in." in ben.open(f"/t/{cup.pk}/").text

    def test_late_into_a_swiss_that_goes_on(self, olivia, visitor):
        cup = factories.drawn(4, olivia.user, format=Format.SWISS, stage={"rounds": 3}, late_entry=True)
        ann = visitor(factories.make_user("ann")).open(f"/t/{cup.pk}/")
        assert "Join late, from the next round" in ann.text
        ann.send(f"/t/{cup.pk}/register/")
        assert StageEntry.objects.filter(entry=entry_of("ann")).exists()
        olivia.open(console(cup)).send(f"{console(cup)}add/", names="Zoe")
        assert StageEntry.objects.filter(entry=entry_of("Zoe")).exists()
        tournaments.edit(Actor(olivia.user), cup.pk, late_entry=False)
        late = visitor(factories.make_user()).open(f"/t/{cup.pk}/")
        assert not late.has_form(f"/t/{cup.pk}/register/")

    def test_the_rating_that_is_asked_for_is_said_before_and_after(self, visitor):
        cup = factories.open_registration(factories.make_tournament(game="Chess", rating_min=20))
        ann = visitor(factories.make_user()).open(f"/t/{cup.pk}/")
        assert "Asked for is a rating in Chess of at least 20.0" in ann.text
        ann.send(f"/t/{cup.pk}/register/")
        assert ann.status == 409
        assert "you have none yet" in ann.sentence


class TestHeldPlaces:
    @pytest.fixture
    def cup(self, olivia):
        cup = factories.open_with_entries(2, olivia.user, capacity=2, claim_minutes=30, check_in=True)
        for name in ("ann", "ben", "cem"):
            factories.enter(cup, factories.make_user(name), name.title())
        first = cup.entries.first()
        entries.withdraw(Actor(first.user), first.pk)
        return cup

    def test_who_is_next_is_asked_and_sees_how_long(self, visitor, cup):
        ann, ben = (visitor(entry_of(name).user).open(f"/t/{cup.pk}/") for name in ("Ann", "Ben"))
        assert "A place is held for you. Claim it" in ann.text
        assert re.search(r'<time datetime="[^"]+Z" data-when="until">until \d+ \w+ \d{4}, \d\d:\d\d UTC', ann.html)
        assert (
            "You are number 1 on the waitlist. If a place becomes free, it is held for you for 30 minutes." in ben.text
        )
        ann.send(f"/t/{cup.pk}/entries/{entry_of('Ann').pk}/claim/")
        assert "The place is taken." in ann.text
        assert entry_of("Ann").status == EntryStatus.CONFIRMED

    def test_declined_it_goes_to_the_next(self, visitor, cup):
        path = f"/t/{cup.pk}/entries/{entry_of('Ann').pk}"
        ann = visitor(entry_of("Ann").user).open(f"/t/{cup.pk}/")
        assert "Give the place back? It goes to the next on the waitlist." in ann.text
        ann.send(f"{path}/withdraw/")
        assert [entry_of(name).status for name in ("Ann", "Ben", "Cem")] == ["withdrawn", "offered", "waitlisted"]

    def test_too_late_is_said(self, visitor, cup):
        ann = visitor(entry_of("Ann").user).open(f"/t/{cup.pk}/")
        Entry.objects.filter(name="Ann").update(claim_by=timezone.now() - timedelta(minutes=1))
        ann.send(f"/t/{cup.pk}/entries/{entry_of('Ann').pk}/claim/")
        assert ann.status == 409
        assert "and goes to the next" in ann.sentence

    def test_the_organiser_sees_the_order_and_claims_for_somebody(self, olivia, cup):
        text = olivia.open(console(cup)).text
        assert text.index("A place is held for 1 Ann") < text.index("Waitlist 2 1 Ben") < text.index("2 Cem")
        olivia.send(f"/t/{cup.pk}/entries/{entry_of('Ann').pk}/claim/")
        assert entry_of("Ann").status == EntryStatus.CONFIRMED

    def test_everybody_sees_who_waits(self, visitor, cup):
        text = visitor().open(f"/t/{cup.pk}/entrants/").text
        assert text.index("A place is held for 1 Ann") < text.index("Waitlist 2 1 Ben") < text.index("2 Cem")
        activity = visitor().open(f"/t/{cup.pk}/activity/").text
        assert "A place is held for Ann." in activity
        assert "Ben joined the waitlist." in activity

    def test_who_waits_can_say_that_they_are_here(self, visitor, cup):
        ben = visitor(entry_of("Ben").user).open(f"/t/{cup.pk}/")
        ben.send(f"/t/{cup.pk}/entries/{entry_of('Ben').pk}/check-in/")
        assert entry_of("Ben").checked_in_at


class TestCheckInTimes:
    def test_a_player_is_told_when_it_opens_and_that_it_is_over(self, olivia, visitor):
        cup = factories.open_with_entries(1, olivia.user, check_in=True)
        player = visitor(cup.entries.get().user)
        action = f"/t/{cup.pk}/entries/{cup.entries.get().pk}/check-in/"
        now = timezone.now()
        for opens, closes, sentence in (
            (now + timedelta(hours=1), now + timedelta(hours=2), "Check-in opens "),
            (now - timedelta(hours=1), now + timedelta(hours=1), "Check-in is open until "),
            (now - timedelta(hours=2), now - timedelta(hours=1), "Check-in is over."),
        ):
            times = {"check_in_opens_at": opens, "check_in_closes_at": closes}
            tournaments.edit(Actor(olivia.user), cup.pk, **times)
            assert sentence in player.open(f"/t/{cup.pk}/").text
            assert player.has_form(action) == (sentence == "Check-in is open until ")


class TestOneEntry:
    def test_an_organiser_renames_and_disqualifies(self, olivia):
        cup = factories.open_with_entries(4, olivia.user)
        entry = cup.entries.first()
        path = f"/t/{cup.pk}/entries/{entry.pk}/"
        olivia.open(console(cup))
        assert f'href="{path}"' in olivia.html
        olivia.open(path).send(f"{path}rename/", name="Ada")
        assert "Renamed." in olivia.text
        olivia.send(f"{path}rename/", name=cup.entries.last().name)
        assert olivia.status == 409
        assert olivia.form(f"{path}rename/")["name"] == cup.entries.last().name
        olivia.send(f"{path}disqualify/")
        assert entry_of("Ada").status == EntryStatus.DISQUALIFIED
        assert "disqualified" in olivia.text

    def test_is_to_be_changed_by_its_player_and_the_staff(self, olivia, visitor):
        cup = factories.drawn(2, olivia.user)
        entry, other = cup.entries.select_related("user").order_by("pk")
        path = f"/t/{cup.pk}/entries/{entry.pk}/"
        own = visitor(entry.user).open(path)
        assert own.response.status_code == 200
        assert own.has_form(f"{path}withdraw/")
        assert not own.has_form(f"{path}disqualify/")
        assert not own.has_form(f"{path}rename/")
        for person in (other.user, factories.make_user(), None):
            seen = visitor(person).open(path)
            assert not any(seen.has_form(f"{path}{what}/") for what in ("withdraw", "rename", "roster", "disqualify"))
        assert olivia.open(f"/t/{cup.pk}/entries/{10**9}/").response.status_code == 404
        elsewhere = factories.drawn(2, olivia.user)
        assert olivia.open(f"/t/{elsewhere.pk}/entries/{entry.pk}/").response.status_code == 404
