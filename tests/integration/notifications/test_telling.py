"""Who is told what, when, and that nobody is told twice, too late, or what they did not ask for."""

import os
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from apps.eventlog.models import Stream
from apps.notifications import reading, services
from apps.notifications.models import Channel, Kind, Notice, Preferences, Reader
from apps.notifications.sending import LEASE, Notifier
from apps.notifications.worker import running
from apps.tournaments.services import Actor, entries, matches, schedule, stations, waitlist
from engine.match_flow import Score
from engine.stages import Format
from tests import factories
from tests.integration.notifications.conftest import Device
from tests.receiver import doing, status
from tests.server import database_url, wait_for

pytestmark = pytest.mark.django_db


def titles(device):
    return [message["title"] for message in device.read()]


class TestWhatIsTold:
    def test_a_player_is_told_of_each_thing_that_asks_for_them_and_of_nothing_else(
        self, cup, organizer, ada, bob, device, notify, edit
    ):
        device.add(ada)
        edit(match_check_in_minutes=10)
        factories.draw(cup)
        match = factories.match_number(cup, 1)
        notify()
        assert titles(device) == ["Your match is up"]
        [told] = device.read()
        assert told["body"] == "You play bob. Open Cup, match 1."
        assert (told["url"], told["tag"]) == (f"/m/{match.pk}/", f"match-{match.pk}")

        station = stations.add(organizer, cup.pk, name="Table 4").ids["station_id"]
        schedule.schedule(organizer, match.pk, station_id=station)
        schedule.call(organizer, match.pk)  # two events: called, and check-in opened
        match = factories.match_number(cup, 1)
        notify()
        [_, told] = device.read()
        assert told["title"] == "Come to Table 4"
        assert told["body"] == "You play bob. Check in until \x00. Open Cup, match 1, Table 4."
        assert told["at"].startswith(match.deadline_at.strftime("%Y-%m-%dT%H:%M"))

        matches.check_in(Actor(ada), match.pk)  # what ada does herself is no news to her
        notify()
        assert len(device.requests) == 2
        matches.check_in(Actor(bob), match.pk)
        notify()
        assert len(device.requests) == 3

        mine, theirs = (3, 1) if match.home.user == bob else (1, 3)
        matches.report(Actor(bob), match.pk, Score(mine, theirs))
        notify()
        assert titles(device)[3:] == ["Confirm the result"]
        assert "bob reported: you 1–3 them." in device.read()[3]["body"]

        matches.confirm(Actor(ada), match.pk)
        assert notify() == 0
        assert len({request.headers["topic"] for request in device.requests}) == 1, "all are about one match"

    def test_a_match_that_is_planned_for_later_is_told_when_it_starts_soon(
        self, cup, organizer, ada, device, notify, clock
    ):
        device.add(ada)
        factories.draw(cup)
        match = factories.match_number(cup, 1)
        Notice.objects.all().delete()
        at = (timezone.now() + timedelta(minutes=41)).replace(second=0, microsecond=0)
        schedule.schedule(organizer, match.pk, scheduled_at=at)
        notify()
        before = len(device.requests)
        clock.pass_(minutes=29)
        notify()
        assert len(device.requests) == before
        clock.pass_(minutes=2)
        notify()
        notify()
        assert titles(device)[before:] == ["Your match starts soon"]

    def test_a_league_tells_once_how_many_matches_can_be_played(self, ada, device, notify, cup):
        league = factories.open_with_entries(3, format=Format.ROUND_ROBIN)
        factories.enter(league, ada)
        device.add(ada)
        factories.draw(league)
        notify()
        [told] = device.read()
        assert told["title"] == "Your match is up"
        assert told["body"].endswith("You can play 2 more matches.")

    def test_everybody_in_a_roster_is_told_of_a_match_and_the_captain_alone_of_a_result(self, db, service, notify):
        cup = factories.open_registration(factories.make_tournament(participation="team"))
        team = factories.make_team("cara", "dora")
        other = factories.make_team("emil")
        for one in (team, other):
            factories.enter_team(cup, one)
        captain, player = Device(service), Device(service)
        captain.add(team.captain)
        player.add(team.members.get(user__username="dora").user)
        factories.draw(cup)
        notify()
        assert (titles(captain), titles(player)) == (["Your match is up"], ["Your match is up"])
        match = factories.match_number(cup, 1)
        matches.report(Actor(other.captain), match.pk, Score(2, 0))
        notify()
        assert titles(captain)[1:] == ["Confirm the result"]
        assert titles(player)[1:] == []

    def test_who_gets_a_place_is_told_and_who_claims_it_is_not_told_so(self, cup, bob, device, notify, edit):
        edit(claim_minutes=30)
        late = factories.make_user("cleo")
        entry = factories.enter(cup, late)
        device.add(late)
        entries.withdraw(Actor(bob), cup.entries.get(name="bob").pk)
        notify()
        assert titles(device) == ["A place is held for you"]
        waitlist.claim(Actor(late), entry.pk)
        assert notify() == 0

    def test_check_in_is_told_when_it_opens_to_those_who_were_in_before(self, cup, ada, device, notify, edit, clock):
        opens = timezone.now() + timedelta(minutes=30)
        edit(check_in=True, check_in_opens_at=opens, check_in_closes_at=opens + timedelta(hours=1))
        device.add(ada)
        assert notify() == 0
        clock.pass_(minutes=31)
        notify()
        notify()
        assert titles(device) == ["Check-in is open"]

    def test_what_is_over_by_the_time_it_could_be_sent_is_not_sent(self, cup, organizer, ada, device, notify):
        device.add(ada)
        factories.draw(cup)
        match = factories.match_number(cup, 1)
        reading.read_logs(timezone.now())
        matches.start(organizer, match.pk)
        matches.finish(organizer, match.pk, Score(1, 0))
        notify()
        assert device.requests == []
        assert set(Notice.objects.values_list("state", "error")) == {("dropped", "There is nothing to tell any more.")}


class TestWhatSomebodyAskedFor:
    def test_nothing_from_before_a_channel_was_switched_on(self, cup, ada, device, notify):
        factories.draw(cup)
        device.add(ada)
        assert notify() == 0
        assert Reader.objects.get(tournament=cup).cursor == Stream.objects.get(name=cup.stream).head

    def test_nothing_from_before_a_kind_was_chosen_although_it_is_read_later(self, cup, ada, bob, device, notify):
        device.add(ada)
        services.choose(ada, kinds=[Kind.RESULT])
        factories.draw(cup)
        services.choose(ada, kinds=[Kind.RESULT, Kind.MATCH])
        notify()
        assert device.requests == []
        matches.report(Actor(bob), factories.match_number(cup, 1).pk, Score(2, 0))
        notify()
        assert titles(device) == ["Confirm the result"]

    def test_a_kind_that_was_not_chosen_is_not_told(self, cup, ada, device, notify):
        device.add(ada)
        services.choose(ada, kinds=[])
        factories.draw(cup)
        assert notify() == 0

    def test_a_channel_that_was_removed_gets_not_even_what_was_waiting(self, cup, ada, device, notify, service):
        channel = device.add(ada)
        service.plan(status(503))
        factories.draw(cup)
        notify()
        services.remove(ada, channel.pk)
        assert notify() == 0
        assert not Notice.objects.exists()

    def test_nobody_but_the_person_is_told(self, cup, ada, bob, device, service, notify):
        stranger = Device(service)
        stranger.add(factories.make_user())
        device.add(ada)
        factories.draw(cup)
        notify()
        assert (len(device.requests), len(stranger.requests)) == (1, 0)

    def test_a_browser_tells_whoever_switched_it_on_last(self, ada, bob, device):
        device.add(ada)
        device.add(bob)
        assert Channel.objects.get().user == bob

    def test_a_test_is_sent_once_however_often_it_is_asked_for(self, ada, device, notify):
        device.add(ada)
        for _ in range(3):
            services.send_test(ada, Channel.objects.get().pk)
        notify()
        assert len(device.requests) == 1

    def test_all_of_it_goes_with_the_person(self, cup, device, notify):
        guest = factories.make_user()
        device.add(guest)
        services.send_test(guest, Channel.objects.get().pk)
        guest.delete()
        assert not Channel.objects.exists()
        assert not Preferences.objects.exists()
        assert not Notice.objects.exists()


class TestOnce:
    def test_reading_again_tells_nothing_again(self, cup, ada, device, notify):
        """The cursor goes back, as when its move was lost: what has been told is known by its occasion."""
        device.add(ada)
        factories.draw(cup)
        notify()
        Reader.objects.update(cursor=0)
        notify()
        assert len(device.requests) == 1

    def test_a_retry_after_a_crash_repeats_the_same_message_and_no_other(self, cup, ada, device, clock, service):
        device.add(ada)
        factories.draw(cup)
        dying = Notifier(clock=clock, chance=lambda: 0.0)
        dying._settle = lambda *_: None  # it was killed between sending and writing down
        [(notice, _)] = dying.upcoming(clock(), 10)
        assert dying.serve(notice)
        other = Notifier(clock=clock, chance=lambda: 0.0)
        assert not other.serve(notice), "the lease of the dead still holds"
        clock.pass_(seconds=LEASE.total_seconds() + 1)
        assert other.serve(notice)
        clock.pass_(days=1)
        assert not other.upcoming(clock(), 10)
        first, second = device.read()
        assert first == second
        assert device.requests[0].headers["topic"] == device.requests[1].headers["topic"]

    def test_a_failure_is_tried_again_later(self, cup, ada, device, clock, service, notify):
        device.add(ada)
        service.plan(status(503, Retry_After="20"))
        factories.draw(cup)
        notify()
        clock.pass_(seconds=19)
        assert notify() == 0
        clock.pass_(seconds=1)
        assert notify() == 1
        assert Notice.objects.get().state == "sent"

    @pytest.mark.parametrize("code", [404, 410])
    def test_a_subscription_that_has_ended_is_removed(self, cup, ada, device, service, notify, code):
        device.add(ada)
        service.plan(status(code))
        factories.draw(cup)
        notify()
        assert not Channel.objects.exists()
        assert notify() == 0

    def test_a_push_service_that_knows_another_key_switches_the_device_off(self, cup, ada, device, service, notify):
        device.add(ada)
        service.plan(status(403))
        factories.draw(cup)
        notify()
        assert "Switch it on again" in Channel.objects.get(active=False).off_reason

    def test_a_restored_backup_repeats_nothing(self, cup, ada, device, notify):
        device.add(ada)
        factories.draw(cup)
        notify()
        Stream.objects.filter(name=cup.stream).update(epoch="another", head=3)
        notify()
        assert len(device.requests) == 1
        assert Reader.objects.get(tournament=cup).epoch == "another"


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_the_same_time_tell_each_player_once(transactional_db, service, monkeypatch):
    monkeypatch.setattr("apps.integrations.worker.POLL_SECONDS", 0.05)
    cup = factories.open_with_entries(8)
    devices = [Device(service) for _ in range(8)]
    for device, entry in zip(devices, cup.entries.select_related("user"), strict=True):
        device.add(entry.user)
    with running(), running():
        factories.draw(cup)
        wait_for(lambda: Notice.objects.filter(state="sent").count() == 8)
    assert [titles(device) for device in devices] == [["Your match is up"]] * 8
    assert not Notice.objects.exclude(lease_owner="").exists()


@pytest.mark.django_db(transaction=True)
def test_two_readers_of_the_same_events_write_each_down_once(transactional_db, service):
    """Both have read before either writes: one finds the cursor moved."""
    cup = factories.open_with_entries(2)
    for entry in cup.entries.select_related("user"):
        Device(service).add(entry.user)
    reading.read_logs(timezone.now())
    factories.draw(cup)
    both = threading.Barrier(2)
    moved = []

    def read():
        reader = Reader.objects.get(tournament=cup)
        events = reading.log.read(cup.stream, after=reader.cursor, limit=100, types=reading.TYPES)
        told = reading.notices(reading.told_by(events), timezone.now())
        both.wait()
        moved.append(reading._move(reader, reader.epoch, events[-1].seq, told))
        connection.close()

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(moved) == [False, True]
    assert Notice.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_process_killed_between_sending_and_writing_it_down_repeats_one_message_and_loses_none(
    transactional_db, service
):
    cup = factories.open_with_entries(2)
    devices = [Device(service) for _ in range(2)]
    for device, entry in zip(devices, cup.entries.select_related("user"), strict=True):
        device.add(entry.user)
    factories.draw(cup)
    environment = os.environ | {"DATABASE_URL": database_url(), "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}
    command = [sys.executable, "manage.py", "deliver", "--forever"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        service.plan(doing(process.kill), doing(process.kill))
        try:
            process.wait(60)
        finally:
            process.kill()
    before = len(service.requests)
    assert before in (1, 2)
    assert not Notice.objects.filter(state="sent").exists()
    later = timezone.now() + LEASE + timedelta(seconds=1)
    notifier = Notifier(clock=lambda: later)
    assert sum(notifier.serve(notice) for notice, _ in notifier.upcoming(later, 10)) == 2
    assert len(service.requests) == before + 2
    for device in devices:
        assert device.requests
        assert len({message["id"] for message in device.read()}) == 1
