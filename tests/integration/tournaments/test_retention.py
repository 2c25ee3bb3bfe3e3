"""What `purge` deletes, and what it leaves, as the days go by."""

from datetime import timedelta
from io import StringIO

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from apps.accounts.models import User
from apps.eventlog.models import Event, Receipt
from apps.tournaments.models import Dispute, Evidence, Report
from apps.tournaments.services import Actor, entries, matches, reports, tournaments
from apps.tournaments.services.retention import Purged, purge
from engine.match_flow import Score
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]

DAY = timedelta(days=1)
NOTHING = Purged(evidence=0, files=0, receipts=0, reports=0, admin_log=0, sessions=0)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def image():
    """An image of a dispute that waits for a ruling."""
    cup = factories.drawn(4)
    match = factories.match_number(cup, 1)
    matches.report(Actor(match.home.user), match.pk, Score(1, 0))
    matches.dispute(Actor(match.away.user), match.pk, cause="score", text="No")
    return factories.add_image(match, match.home.user)


@pytest.fixture
def run(django_capture_on_commit_callbacks):
    def run(at):
        with django_capture_on_commit_callbacks(execute=True):
            return purge(at)

    return run


def rule(image):
    match = image.dispute.match
    matches.finish(Actor(match.tournament.created_by), match.pk, Score(1, 0), ruling="So be it.")
    return Dispute.objects.get(pk=image.dispute_id)


class TestEvidence:
    def test_goes_with_its_file_so_many_days_after_the_ruling(self, image, run, now):
        assert run(now + 1000 * DAY).evidence == 0, "while nobody has ruled it is needed"
        rule(image)
        assert run(now + 180 * DAY - DAY) == NOTHING
        assert default_storage.exists(image.path)
        assert run(now + 181 * DAY).evidence == 1
        assert not Evidence.objects.exists()
        assert not default_storage.exists(image.path)
        assert run(now + 181 * DAY).evidence == 0

    def test_goes_without_a_ruling_when_the_tournament_is_over(self, image, run, now):
        cup = image.dispute.match.tournament
        tournaments.cancel(Actor(cup.created_by), cup.pk)
        assert run(now + 179 * DAY).evidence == 0
        assert run(now + 181 * DAY).evidence == 1

    def test_a_picture_that_is_evidence_elsewhere_stays(self, image, run, now):
        other = image.dispute.match.tournament.matches.get(number=2)
        matches.report(Actor(other.home.user), other.pk, Score(1, 0))
        matches.dispute(Actor(other.away.user), other.pk, cause="score", text="No")
        twin = factories.add_image(other, other.home.user)
        assert twin.path == image.path
        rule(image)
        assert run(now + 181 * DAY).evidence == 1
        assert default_storage.exists(image.path)

    def test_nothing_goes_when_the_setting_is_0(self, image, run, now, settings):
        settings.RETENTION_EVIDENCE_DAYS = 0
        rule(image)
        assert run(now + 10_000 * DAY).evidence == 0

    def test_a_file_that_nothing_refers_to_goes_after_a_day(self, image, run, now):
        stray = default_storage.save("evidence/stray.png", ContentFile(b"stray"))
        assert run(now + DAY / 2).files == 0, "its row may be on the way"
        assert run(now + 2 * DAY).files == 1
        assert not default_storage.exists(stray)
        assert default_storage.exists(image.path)

    def test_a_site_that_has_no_images_is_none_the_worse(self, run, now):
        assert run(now) == NOTHING


def test_receipts_go_and_the_log_stays(run, now):
    cup = factories.open_with_entries(0)
    user = factories.make_user()
    entry_id = entries.register(Actor(user, "once"), cup.pk).ids["entry_id"]
    before = Event.objects.count()
    assert run(now + 29 * DAY).receipts == 0
    assert entries.register(Actor(user, "once"), cup.pk).ids["entry_id"] == entry_id
    assert run(now + 31 * DAY).receipts == 1
    assert not Receipt.objects.exists()
    assert Event.objects.count() == before


def test_many_receipts_go_in_short_transactions(run, now, monkeypatch):
    monkeypatch.setattr("apps.tournaments.services.retention._BATCH", 3)
    cup = factories.open_with_entries(0, capacity=16)
    for number in range(7):
        entries.register(Actor(factories.make_user(), f"c{number}"), cup.pk)
    assert run(now + 31 * DAY).receipts == 7


def test_reports_that_were_dealt_with_go_and_those_that_wait_stay(run, now):
    cup = factories.open_with_entries(2)
    first, second = cup.entries.all()
    sam = Actor(factories.make_user())
    done = reports.report_entry(sam, first.pk, reason="spam").ids["report_id"]
    waits = reports.report_entry(sam, second.pk, reason="spam").ids["report_id"]
    reports.resolve(Actor(cup.created_by), done)
    assert run(now + 364 * DAY).reports == 0
    assert run(now + 366 * DAY).reports == 1
    assert Report.objects.get().pk == waits


def test_what_administrators_did_goes_after_two_years(run, now):
    root = factories.make_user(is_superuser=True)
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(user=root, content_type=kind, object_id=1, object_repr="ann", action_flag=CHANGE)
    assert run(now + 700 * DAY) == NOTHING
    assert run(now + 731 * DAY).admin_log == 1


def test_sessions_that_have_expired_go_with_the_addresses_they_came_from_and_nobody_is_told(run, now):
    user = factories.make_user()
    old, present = factories.signed_in(user), factories.signed_in(user)
    for holder in (old, present):
        UserSession.objects.create(user=user, ip="203.0.113.7", user_agent="Browser", session_key=holder.session_key)
    Session.objects.filter(session_key=old.session_key).update(expire_date=now + DAY)
    Session.objects.filter(session_key=present.session_key).update(expire_date=now + 9 * DAY)
    before = Event.objects.count()
    assert run(now) == NOTHING
    assert run(now + 2 * DAY).sessions == 1
    assert UserSession.objects.get().session_key == present.session_key
    assert Event.objects.count() == before


def test_the_command_says_what_it_did(image):
    rule(image)
    Dispute.objects.update(resolved_at=timezone.now() - 200 * DAY)
    said = StringIO()
    call_command("purge", stdout=said)
    assert said.getvalue() == "evidence: 1, files: 0, receipts: 0, reports: 0, admin_log: 0, sessions: 0\n"
