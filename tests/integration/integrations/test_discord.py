"""A channel is told what matters, in few messages, and what is asked of us there is done. Over TLS, to a receiver."""

import socket

import pytest
from django.db import transaction

from apps.accounts.models import User
from apps.integrations import services
from apps.integrations.channels.discord import Discord, escaped
from apps.integrations.delivery import Courier
from apps.integrations.models import Attempt, Endpoint
from apps.integrations.sending import Line
from apps.tournaments.events import MatchCalled
from apps.tournaments.models import Match, Station
from apps.tournaments.services import Actor, matches, tournaments
from apps.tournaments.services.unit import Unit, present
from engine.bracket import Side
from engine.match_flow import Score
from tests import factories
from tests.receiver import Receiver, status

pytestmark = pytest.mark.django_db

SECRET = "n0t-for-anybodys-eyes_" + "x" * 46
URL = f"https://discord.com/api/webhooks/123456789012345678/{SECRET}"


@pytest.fixture
def receiver(tls):
    with Receiver(tls.server) as receiver:
        yield receiver


@pytest.fixture
def courier(clock, tls, receiver):
    def resolve(host, _port):
        assert host == "discord.com"
        return [(socket.AF_INET, ("127.0.0.1", receiver.port))]

    return Courier(
        clock=clock, chance=lambda: 0.0, open_line=lambda target: Line(target, resolve=resolve, context=tls.client)
    )


@pytest.fixture
def site(settings):
    settings.SITE_URL = "https://cup.example.org"


@pytest.fixture
def three(clock, site):
    """A drawn tournament of three, whose names mean something to Discord, and its channel."""
    cup = factories.open_registration(factories.make_tournament(name="Cup *of* stars"))
    for name in ("@everyone", "**Bob**", "https://evil.example"):
        factories.enter(cup, factories.make_user(), name=name)
    made = services.add(Actor(cup.created_by), cup.pk, url=URL, kind="discord")
    assert made.secret == ""
    return factories.draw(cup)


def lines(receiver):
    return [request.json["content"].split("\n") for request in receiver.requests]


def test_a_tournament_in_words(three, receiver, deliver):
    by = Actor(three.created_by)
    semi, final = (factories.match_number(three, number) for number in (1, 2))
    matches.start(by, semi.pk)
    matches.update_score(by, semi.pk, Score(1, 0))
    matches.finish(by, semi.pk, Score(2, 1))
    deliver()
    home, away = (escaped(entry.name) for entry in (semi.home, semi.away))
    assert lines(receiver)[0][:3] == [
        rf"**Cup \*of\* stars** is drawn: 2 matches. <https://cup.example.org/t/{three.pk}/>",
        rf"**Cup \*of\* stars** has started. <https://cup.example.org/t/{three.pk}/>",
        f"Match 1: **{home}** 2–1 {away}. <https://cup.example.org/m/{semi.pk}/>",
    ]
    assert "Match 2 is ready" in lines(receiver)[0][3]
    assert len(receiver.requests) == 1
    matches.forfeit(by, final.pk, loser=Side.HOME)
    deliver()
    won, over = lines(receiver)[1]
    assert "wins against" in won
    assert won.endswith(f"(forfeit). <https://cup.example.org/m/{final.pk}/>")
    assert over.startswith(r"**Cup \*of\* stars** is over: **")
    for request in receiver.requests:
        assert request.path == f"/api/webhooks/123456789012345678/{SECRET}"
        assert request.json["allowed_mentions"] == {"parse": []}
        assert request.json["flags"] == 4
        assert "webhook-signature" not in request.headers
        assert "https://evil" not in request.json["content"]


def test_a_draw_and_shootouts_are_told_as_they_were(three, receiver, deliver):
    semi = factories.match_number(three, 1)
    matches.start(Actor(three.created_by), semi.pk)
    matches.finish(Actor(three.created_by), semi.pk, Score(1, 1, 3, 4))
    deliver()
    [told] = [line for line in lines(receiver)[0] if line.startswith("Match 1: ")]
    assert " 1–1 (3–4) **" in told


def test_a_match_is_called_to_its_station(three, receiver, clock, deliver):
    deliver()
    semi = factories.match_number(three, 1)
    with transaction.atomic():
        unit = Unit("start_match", Actor(three.created_by), present())
        unit.lock(three.pk)
        match = unit.watch(Match.objects.get(pk=semi.pk))
        match.station = Station.objects.create(tournament=three, name="Table #4")
        unit.emit(MatchCalled(match=unit.save(match)))
        unit.finish({}, fingerprint="")
    deliver()
    assert r"please come to station Table \#4 for match 1." in lines(receiver)[-1][0]


def test_what_is_not_chosen_is_not_told(three, receiver, deliver):
    services.edit(Actor(three.created_by), Endpoint.objects.get().pk, types=["tournament_completed"])
    factories.play(three)
    deliver()
    [[over]] = lines(receiver)
    assert " is over: **" in over


def test_disputes_are_nobodys_business():
    assert not {name for name in Discord.types if "disput" in name or "report" in name}


def test_many_events_are_few_messages_none_of_them_too_long(clock, receiver, deliver, site):
    cup = factories.open_registration(factories.make_tournament())
    for number in range(16):
        factories.enter(cup, factories.make_user(), name=f"{number} " + "*" * 57)
    services.add(Actor(cup.created_by), cup.pk, url=URL, kind="discord")
    factories.play(factories.draw(cup))
    deliver()
    assert sum(map(len, lines(receiver))) == 1 + 1 + 8 + 16 + 1  # drawn, begun, ready, results, over
    assert all(len(told) <= 10 for told in lines(receiver))
    assert all(len(request.json["content"]) <= 2000 for request in receiver.requests)
    assert len(receiver.requests) <= 6


def test_a_limit_is_honoured_to_the_millisecond_and_is_no_failure(three, receiver, clock, deliver, fresh):
    receiver.plan(*[status(429, b'{"retry_after": 1.25}', Retry_After="1.25")] * 3)
    for _ in range(3):
        assert deliver() == 1
        endpoint = Endpoint.objects.get()
        assert (endpoint.next_attempt_at - clock.now).total_seconds() == 1.25
        assert endpoint.failures == 0
        clock.pass_(seconds=1.2)
        assert deliver() == 0
        clock.pass_(seconds=0.05)
    deliver()
    assert Endpoint.objects.get().error == ""
    assert len({request.body for request in receiver.requests}) == 1


def test_a_webhook_that_was_deleted_there_is_switched_off(three, receiver, deliver):
    receiver.plan(status(404))
    deliver()
    endpoint = Endpoint.objects.get()
    assert (endpoint.active, "deleted there" in endpoint.off_reason) == (False, True)


def test_a_message_that_is_refused_does_not_hold_up_the_next(three, receiver, deliver):
    receiver.plan(status(400))
    deliver()
    factories.play(three)
    deliver()
    assert len(receiver.requests) == 2
    assert [attempt.status for attempt in Attempt.objects.order_by("pk")] == [400, 204]


def test_switched_on_again_it_tells_what_happens_from_now_on(three, receiver, deliver):
    by, endpoint = Actor(three.created_by), Endpoint.objects.get()
    services.edit(by, endpoint.pk, active=False)
    factories.play(three, matches_at_most=1)
    services.edit(by, endpoint.pk, active=True)
    assert deliver() == 0
    factories.play(three)
    deliver()
    assert [line.partition(":")[0] for line in lines(receiver)[0]] == ["Match 2", r"**Cup \*of\* stars** is over"]


def test_a_match_that_a_new_draw_has_replaced_is_passed_over(three, receiver, deliver):
    matches.forfeit(Actor(three.created_by), factories.match_number(three, 1).pk, loser=Side.HOME)
    Match.objects.all().delete()
    deliver()
    assert [line.partition(".")[0] for line in lines(receiver)[0]] == [
        r"**Cup \*of\* stars** is drawn: 2 matches",
        r"**Cup \*of\* stars** has started",
    ]


def test_a_test_says_whose_news_will_come(three, receiver, deliver):
    deliver()
    services.test(Actor(three.created_by), Endpoint.objects.get().pk)
    deliver()
    assert lines(receiver)[-1] == [r"A test: news of **Cup \*of\* stars** will come here."]


def test_without_an_address_of_the_site_there_are_no_links(three, receiver, deliver, settings):
    settings.SITE_URL = ""
    deliver()
    assert "<" not in lines(receiver)[0][0]


def test_its_address_is_kept_from_everybody(three, receiver, deliver, caplog, client):
    deliver()
    client.force_login(User.objects.get(pk=three.created_by.pk))
    page = client.get(f"/t/{three.pk}/manage/integrations/").content.decode()
    api = client.get(f"/api/v1/tournaments/{three.pk}/integrations").content.decode()
    assert "discord.com" in page
    assert "discord.com" in api
    for written in (page, api, caplog.text, repr(list(Endpoint.objects.values()))):
        assert SECRET not in written


def test_renaming_the_tournament_says_nothing(three, receiver, deliver):
    deliver()
    tournaments.edit(Actor(three.created_by), three.pk, name="Other")
    assert deliver() == 1
    assert len(receiver.requests) == 1
