"""What a receiver gets can be checked, with the words of docs/integrations.md and those of Standard Webhooks."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from datetime import UTC, datetime

import msgspec
import pytest

from apps.eventlog.log import Recorded
from apps.integrations.channels import Fate
from apps.integrations.channels.webhook import Webhook, new_key, signature
from apps.integrations.models import Endpoint
from apps.integrations.retries import pause
from apps.integrations.sealing import Secrets, Unreadable, seal, unseal
from apps.integrations.sending import Answer

AT = datetime(2026, 11, 25, 18, 0, 0, tzinfo=UTC)
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_example_of_standard_webhooks():
    """The values that the libraries of Standard Webhooks are tested with."""
    signed = signature(KEY, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("message_id", "timestamp", "body", "expected"),
    [
        ("tournament:7:9f3c2e1a0b4d:41", 1732557600, b"{}", "v1,"),
        ("test:00", 0, '{"name":"Žižkov – 東京"}'.encode(), "v1,"),
        ("", 1, b"", "v1,"),
    ],
)
def test_a_signature_is_the_hmac_of_id_timestamp_and_body(message_id, timestamp, body, expected):
    by_hand = hmac.new(b64decode(KEY[6:]), f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    assert signature(KEY, message_id, timestamp, body) == expected + b64encode(by_hand).decode()


def test_every_key_is_another_with_256_bits():
    keys = {new_key() for _ in range(50)}
    assert len(keys) == 50
    assert {len(b64decode(key.removeprefix("whsec_"), validate=True)) for key in keys} == {32}


def event(seq, data=b"{}", **fields):
    return Recorded(
        stream="tournament:7", epoch="9f3c2e1a0b4d", seq=seq, type="match_started", audience="public",
        subject="match:5", data=msgspec.Raw(data), at="2026-11-25T18:00:00.000Z", **fields,
    )  # fmt: skip


def test_the_body_and_the_headers():
    endpoint = Endpoint(tournament_id=7, delivered=38, cursor=39)
    first, second = Webhook().messages(endpoint, [event(41, b'{"match":{"id":5}}'), event(44)])
    assert first.body == (
        b'{"type":"match_started","seq":41,"prev":38,"epoch":"9f3c2e1a0b4d","at":"2026-11-25T18:00:00.000Z",'
        b'"subject":"match:5","tournament":7,"data":{"match":{"id":5}}}'
    )
    assert (first.id, msgspec.json.decode(second.body)["prev"]) == ("tournament:7:9f3c2e1a0b4d:41", 41)
    headers = Webhook().headers(first, Secrets("https://bot.example.org/", KEY), AT)
    assert headers == {
        "Content-Type": "application/json",
        "User-Agent": "DeltaCrown-Webhooks/1",
        "webhook-id": "tournament:7:9f3c2e1a0b4d:41",
        "webhook-timestamp": str(int(AT.timestamp())),
        "webhook-signature": signature(KEY, first.id, int(AT.timestamp()), first.body),
    }


def test_who_did_it_is_not_told():
    [message] = Webhook().messages(Endpoint(tournament_id=7, delivered=0), [event(1, actor="user:3")])
    assert b"user:3" not in message.body


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        (Answer(200, 1), Fate.DELIVERED),
        (Answer(299, 1), Fate.DELIVERED),
        (Answer(199, 1), Fate.RETRY),
        (Answer(301, 1), Fate.RETRY),
        (Answer(400, 1), Fate.RETRY),
        (Answer(404, 1), Fate.RETRY),
        (Answer(410, 1), Fate.OFF),
        (Answer(500, 1), Fate.RETRY),
        (Answer(None, 1, "Nobody listens there."), Fate.RETRY),
    ],
)
def test_what_an_answer_means(answer, fate):
    assert Webhook().judge(answer).fate is fate


def test_pauses_double_up_to_a_quarter_of_an_hour_and_are_spread():
    longest = [pause(failures, 0.0) for failures in range(1, 13)]
    assert longest == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]
    assert [pause(failures, 1.0) for failures in range(1, 13)] == [seconds / 2 for seconds in longest]
    assert pause(10**6, 0.0) == 900


def test_what_is_sealed_can_be_read_with_the_sites_key_alone(settings):
    secrets = Secrets("https://bot.example.org/?key=very-secret", KEY)
    sealed = seal(secrets)
    assert unseal(sealed) == secrets
    assert "secret" not in sealed
    assert "example" not in sealed
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "n" * 50
    assert unseal(sealed) == secrets
    settings.SECRET_KEY_FALLBACKS = []
    for text in (sealed, "", "x", sealed[:-4]):
        with pytest.raises(Unreadable):
            unseal(text)
