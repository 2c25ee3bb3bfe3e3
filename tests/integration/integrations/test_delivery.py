"""Events reach a receiver in order, all of them, whatever it does in between."""

import logging
import socket
from datetime import timedelta

import pytest
from django.core.management import call_command

from apps.eventlog import log
from apps.eventlog.log import PUBLIC
from apps.eventlog.models import Event, Stream
from apps.integrations import services
from apps.integrations.channels.webhook import signature
from apps.integrations.delivery import KEPT, LEASE, Courier
from apps.integrations.models import Attempt, Endpoint
from apps.integrations.retries import LONGEST
from apps.integrations.sending import Line
from tests import factories
from tests.receiver import Receiver, babble, close_after, close_early, drip, flood, hang, status

pytestmark = pytest.mark.django_db


def public(cup, after=0):
    return log.read(cup.row.stream, after=after, limit=1000, audiences=(PUBLIC,))


def seqs(receiver):
    return [request.seq for request in receiver.requests]


class TestInOrder:
    def test_every_public_event_arrives_by_itself_numbered_and_signed(self, cup, receiver, clock, deliver):
        before = public(cup)[-1].seq
        made = cup.webhook(receiver.url)
        cup.rename(2)
        cup.appoint()
        factories.enter(cup.row, factories.make_user())
        cup.rename()
        assert deliver() == 1
        events = public(cup, after=before)
        assert seqs(receiver) == [event.seq for event in events]
        prev = log.positions([cup.row.stream])[cup.row.stream].seq - len(events) - 1  # one was for the staff
        for request, event in zip(receiver.requests, events, strict=True):
            assert request.json == {
                "type": event.type, "seq": event.seq, "prev": prev, "epoch": event.epoch, "at": event.at,
                "subject": event.subject, "tournament": cup.row.pk, "data": request.json["data"],
            }  # fmt: skip
            assert request.body.endswith(b'"data":' + bytes(event.data) + b"}")
            assert request.path == "/hook?key=very-secret"
            assert request.headers["content-type"] == "application/json"
            assert request.headers["user-agent"] == "DeltaCrown-Webhooks/1"
            assert request.headers["webhook-timestamp"] == str(int(clock.now.timestamp()))
            signed = signature(made.secret, request.id, int(clock.now.timestamp()), request.body)
            assert request.headers["webhook-signature"] == signed
            prev = event.seq
        assert receiver.connections == 1
        assert deliver() == 0

    def test_a_filter_leaves_the_others_out_and_prev_shows_no_hole(self, cup, receiver, clock, deliver, fresh):
        made = cup.webhook(receiver.url, types=["registration_created"])
        cup.rename()
        first = factories.enter(cup.row, factories.make_user())
        last, *_ = cup.rename(), deliver()
        assert [request.json["data"]["entry"]["id"] for request in receiver.requests] == [first.pk]
        assert fresh(made.endpoint).cursor == last[0]
        factories.enter(cup.row, factories.make_user())
        deliver()
        assert receiver.requests[1].json["prev"] == receiver.requests[0].seq

    def test_events_for_the_staff_alone_are_passed_over(self, cup, hook, receiver, deliver, fresh):
        seq = cup.appoint()
        assert deliver() == 1
        assert receiver.requests == []
        assert fresh(hook).cursor == seq
        assert deliver() == 0

    def test_more_than_fits_into_one_turn(self, cup, hook, receiver, deliver, monkeypatch):
        monkeypatch.setattr("apps.integrations.delivery.TURN", 10)
        monkeypatch.setattr("apps.integrations.delivery.BATCH", 4)
        wanted = cup.rename(18)
        assert deliver() == 1
        assert 10 <= len(receiver.requests) < 18
        assert deliver() == 1
        assert seqs(receiver) == wanted
        assert receiver.connections == 2

    def test_each_endpoint_has_its_own_cursor(self, cup, hook, receiver, clock, deliver):
        receiver.plan(status(500))
        cup.rename()
        deliver()
        services.add(cup.organizer, cup.row.pk, url=receiver.url + "&2")
        [seq] = cup.rename()
        deliver()
        assert seqs(receiver)[1:] == [seq]

    def test_a_new_endpoint_gets_what_happens_from_now_on(self, cup, hook, receiver, deliver):
        assert deliver() == 0
        assert receiver.requests == []


class TestFailures:
    @pytest.mark.parametrize(
        ("behaviour", "code", "sentence"),
        [
            (status(500), 500, "It answered 500."),
            (status(404), 404, "It answered 404."),
            (status(302, Location="http://127.0.0.1/other"), 302, "redirects are not followed"),
            (status(308, Location="http://169.254.169.254/"), 308, "redirects are not followed"),
            (close_early, None, "closed the connection without an answer"),
            (babble, None, "does not speak HTTP"),
            (hang, None, "no answer within"),
            (drip, None, "no answer within"),
        ],
        ids=lambda value: getattr(value, "__name__", ""),
    )
    def test_the_event_comes_again_after_a_pause_and_nothing_before_it(
        self, cup, hook, receiver, clock, deliver, fresh, monkeypatch, behaviour, code, sentence
    ):
        monkeypatch.setattr("apps.integrations.sending.SECONDS", 0.3)
        receiver.plan(behaviour)
        wanted = cup.rename(3)
        assert deliver() == 1
        assert seqs(receiver) == wanted[:1]
        attempt, failing = Attempt.objects.get(), fresh(hook)
        assert (attempt.seq, attempt.status, attempt.number) == (wanted[0], code, 1)
        assert sentence in attempt.error
        assert (failing.failures, failing.error, failing.failing_since) == (1, attempt.error, clock.now)
        assert failing.next_attempt_at == clock.now + timedelta(seconds=5)
        assert deliver() == 0
        clock.pass_(seconds=4.9)
        assert deliver() == 0
        clock.pass_(seconds=0.1)
        assert deliver() == 1
        assert seqs(receiver) == [wanted[0], *wanted]
        assert len({request.id for request in receiver.requests}) == 3
        well = fresh(hook)
        assert (well.failures, well.error, well.failing_since, well.cursor) == (0, "", None, wanted[-1])
        assert [attempt.number for attempt in Attempt.objects.order_by("pk")] == [1, 2, 1, 1]

    def test_a_receiver_that_is_down_for_ten_minutes_gets_everything_in_order_once(
        self, cup, hook, receiver, clock, deliver, fresh
    ):
        wanted = cup.rename(2)
        deliver()
        receiver.close()
        for _ in range(20):
            wanted += cup.rename(2)
            cup.appoint()
            deliver()
            clock.pass_(seconds=30)
        assert fresh(hook).error == "Nobody listens there."
        receiver.open()
        clock.pass_(seconds=LONGEST)
        deliver()
        assert seqs(receiver) == wanted
        assert len({request.id for request in receiver.requests}) == len(wanted)
        prevs = [request.json["prev"] for request in receiver.requests]
        assert prevs[1:] == wanted[:-1]

    def test_pauses_grow_and_the_receiver_may_ask_for_more(self, cup, hook, receiver, clock, deliver, fresh):
        receiver.plan(status(500), status(503, Retry_After="120"), status(429, Retry_After="1"), status(429))
        cup.rename()
        waits = []
        for _ in range(4):
            deliver()
            waits.append((fresh(hook).next_attempt_at - clock.now).total_seconds())
            clock.pass_(seconds=waits[-1])
        assert waits == [5, 120, 20, 40]

    def test_gone_switches_it_off_at_once(self, cup, hook, receiver, clock, deliver, fresh):
        receiver.plan(status(410))
        cup.rename(2)
        deliver()
        off = fresh(hook)
        assert (off.active, off.off_reason) == (False, "The receiver answered 410: it is gone for good.")
        clock.pass_(days=1)
        assert deliver() == 0
        assert len(receiver.requests) == 1

    def test_after_a_day_it_is_switched_off_and_switched_on_it_misses_nothing(
        self, cup, hook, receiver, clock, deliver, fresh
    ):
        receiver.close()
        wanted = cup.rename(3)
        attempts = 0
        while deliver():
            attempts += 1
            clock.pass_(hours=1)
        off = fresh(hook)
        assert attempts == 25
        assert (off.active, off.off_reason) == (False, "Nothing arrived for a day. Nobody listens there.")
        wanted += cup.rename(2)
        receiver.open()
        services.edit(cup.organizer, hook.pk, active=True)
        deliver()
        assert seqs(receiver) == wanted
        on = fresh(hook)
        assert (on.active, on.off_reason, on.failures) == (True, "", 0)

    def test_an_answer_without_end_is_a_success_that_is_not_waited_for(self, cup, hook, receiver, deliver, monkeypatch):
        receiver.plan(flood)
        wanted = cup.rename(2)
        deliver()
        assert seqs(receiver) == wanted
        assert [attempt.status for attempt in Attempt.objects.order_by("pk")] == [200, 204]

    def test_a_connection_that_ended_between_two_events_is_no_failure(self, cup, hook, receiver, deliver):
        receiver.plan(close_after(), close_after(200), status(200, b"ok"), close_after())
        wanted = cup.rename(6)
        deliver()
        assert seqs(receiver) == wanted
        assert {attempt.error for attempt in Attempt.objects.all()} == {""}
        assert receiver.connections == 4

    def test_a_host_that_means_something_else_by_now_is_not_connected_to(
        self, cup, hook, receiver, clock, deliver, fresh, settings
    ):
        settings.WEBHOOK_ALLOWED_NETWORKS = []
        cup.rename()
        deliver()
        assert receiver.connections == 0
        assert "Write the whole address" in fresh(hook).off_reason

    def test_another_key_of_the_site_says_so(self, cup, hook, receiver, deliver, fresh, settings):
        settings.SECRET_KEY = "n" * 50
        cup.rename()
        deliver()
        assert receiver.requests == []
        assert "another SECRET_KEY" in fresh(hook).off_reason


class TestCrashes:
    def test_who_dies_after_sending_has_it_sent_again_under_the_same_id(
        self, cup, hook, receiver, clock, courier, deliver, monkeypatch
    ):
        class Killed(BaseException):
            pass

        def die(*_: object) -> None:
            raise Killed

        wanted = cup.rename(2)
        with monkeypatch.context() as patch:
            patch.setattr(Courier, "_changes", die)
            patch.setattr(Courier, "_mine", die)  # nor is anything put in order at the end
            with pytest.raises(Killed):
                courier.serve(hook.pk)
        assert deliver() == 0, "the lease of the dead worker still holds"
        clock.pass_(seconds=LEASE.total_seconds())
        assert deliver() == 1
        assert seqs(receiver) == [wanted[0], *wanted]
        assert receiver.requests[0].id == receiver.requests[1].id
        assert receiver.requests[0].body == receiver.requests[1].body

    def test_an_endpoint_is_served_by_one_worker_at_a_time(self, cup, hook, receiver, clock, courier, meanwhile):
        others = []
        meanwhile.append(lambda: others.append(Courier(clock=clock).serve(hook.pk)))
        wanted = cup.rename(2)
        assert courier.serve(hook.pk)
        assert others == [False]
        assert seqs(receiver) == wanted

    def test_after_a_backup_was_restored_the_same_number_is_another_event(self, cup, hook, receiver, deliver):
        wanted = cup.rename()
        deliver()
        Event.objects.filter(seq=wanted[0]).delete()  # what happened after the backup is gone, here as in the log
        Stream.objects.filter(name=cup.row.stream).update(head=wanted[0] - 1)
        Endpoint.objects.update(cursor=wanted[0] - 1, delivered=wanted[0] - 1)
        call_command("new_epoch")
        assert cup.rename() == wanted
        deliver()
        before, after = receiver.requests
        assert before.seq == after.seq
        assert before.id != after.id
        assert after.id == f"{cup.row.stream}:{after.json['epoch']}:{after.seq}"
        assert before.json["epoch"] != after.json["epoch"]


class TestWhatOrganisersDo:
    def test_replay_from_a_seq_under_the_same_ids(self, cup, hook, receiver, deliver):
        wanted = cup.rename(4)
        deliver()
        services.replay(cup.organizer, hook.pk, first=wanted[2])
        assert deliver() == 1
        assert seqs(receiver) == [*wanted, *wanted[2:]]
        assert receiver.requests[2].id == receiver.requests[4].id
        assert receiver.requests[4].json["prev"] == wanted[2] - 1

    def test_replay_of_everything(self, cup, hook, receiver, deliver):
        services.replay(cup.organizer, hook.pk, first=1)
        deliver()
        assert seqs(receiver) == [event.seq for event in public(cup)]
        assert receiver.requests[0].json["prev"] == 0

    @pytest.mark.parametrize("change", ["replay", "off", "removed", "another filter"])
    def test_a_change_while_something_is_being_sent_counts_from_then_on(
        self, cup, hook, receiver, deliver, meanwhile, change
    ):
        wanted = cup.rename(3)
        changes = {
            "replay": lambda: services.replay(cup.organizer, hook.pk, first=wanted[0]),
            "off": lambda: services.edit(cup.organizer, hook.pk, active=False),
            "removed": lambda: services.remove(cup.organizer, hook.pk),
            "another filter": lambda: services.edit(cup.organizer, hook.pk, types=["match_started"]),
        }
        meanwhile.append(changes[change])
        deliver()
        deliver()
        again = {"replay": [wanted[0], *wanted], "off": wanted[:1], "removed": wanted[:1], "another filter": wanted[:1]}
        assert seqs(receiver) == again[change]

    def test_a_test_arrives_by_itself_and_moves_nothing(self, cup, hook, receiver, deliver, fresh):
        wanted = cup.rename()
        deliver()
        services.test(cup.organizer, hook.pk)
        assert deliver() == 1
        request = receiver.requests[-1]
        assert request.id.startswith("test:")
        assert (request.json["type"], request.json["seq"], request.json["prev"]) == ("test", wanted[0], wanted[0])
        assert fresh(hook).cursor == wanted[0]
        attempt = Attempt.objects.latest("pk")
        assert (attempt.type, attempt.status) == ("test", 204)
        assert deliver() == 0

    def test_a_test_that_fails_is_not_repeated_and_counts_for_nothing(self, cup, hook, receiver, clock, deliver, fresh):
        receiver.plan(status(500))
        services.test(cup.organizer, hook.pk)
        assert deliver() == 1
        clock.pass_(hours=1)
        assert deliver() == 0
        assert Attempt.objects.get().error == "It answered 500."
        assert fresh(hook).failures == 0

    def test_what_is_switched_off_can_be_tested(self, cup, hook, receiver, deliver):
        services.edit(cup.organizer, hook.pk, active=False)
        services.test(cup.organizer, hook.pk)
        cup.rename()
        deliver()
        assert [request.json["type"] for request in receiver.requests] == ["test"]

    def test_the_last_attempts_of_each_are_kept(self, cup, hook, receiver, deliver, monkeypatch):
        assert KEPT == 100
        monkeypatch.setattr("apps.integrations.delivery.KEPT", 5)
        cup.webhook(receiver.url + "&2")
        wanted = cup.rename(8)
        deliver()
        for endpoint in Endpoint.objects.all():
            kept = endpoint.attempts.order_by("pk").values_list("seq", flat=True)
            assert list(kept) == wanted[-5:]


def test_the_command_delivers_once(cup, receiver, capsys):
    cup.webhook(receiver.url)
    wanted = cup.rename(2)
    call_command("deliver")
    assert seqs(receiver) == wanted
    assert capsys.readouterr().out == "1 endpoint was due.\n"


def test_nothing_secret_is_written_down(cup, receiver, clock, deliver, caplog):
    caplog.set_level(logging.DEBUG)
    made = cup.webhook(receiver.url)
    receiver.plan(status(500, b"the answer says private things"), status(410))
    cup.rename()
    for _ in range(2):
        deliver()
        clock.pass_(minutes=1)
    written = caplog.text + repr([list(model.objects.values()) for model in (Endpoint, Attempt)])
    assert "endpoint_switched_off" in written
    for secret in (made.secret, made.secret.removeprefix("whsec_"), "very-secret", "private things"):
        assert secret not in written


def test_a_certificate_that_nobody_vouches_for_is_refused(cup, clock, courier, deliver, fresh, tls):
    with Receiver(tls.server) as receiver:
        endpoint = cup.webhook(receiver.url).endpoint
        cup.rename()
        deliver()
        assert "certificate is not valid" in fresh(endpoint).error
        assert receiver.requests == []
        clock.pass_(seconds=5)
        trusting = Courier(clock=clock, open_line=lambda target: Line(target, context=tls.client))
        assert trusting.serve(endpoint.pk)
        assert len(receiver.requests) == 1


def test_a_certificate_for_another_host_is_refused(cup, clock, fresh, tls):
    with Receiver(tls.server) as receiver:
        endpoint = cup.webhook(receiver.url.replace("127.0.0.1", "other.example")).endpoint
        cup.rename()

        def resolve(_host: str, port: int):
            return [(socket.AF_INET, ("127.0.0.1", port))]

        courier = Courier(clock=clock, open_line=lambda target: Line(target, context=tls.client, resolve=resolve))
        courier.serve(endpoint.pk)
        assert "certificate is not valid" in fresh(endpoint).error
        assert receiver.requests == []
