"""
Events for programs: each by itself, numbered, signed as Standard Webhooks has it (standardwebhooks.com, version 1).

docs/integrations.md is the receiver's side of this.
"""

import secrets as chance
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from hmac import digest
from http import HTTPStatus

import msgspec

from apps.eventlog import log
from apps.eventlog.log import PUBLIC, Position, Recorded
from apps.integrations.channels.base import Fate, Message, Verdict
from apps.integrations.models import Endpoint
from apps.integrations.sealing import Secrets
from apps.integrations.sending import Answer
from apps.tournaments.events import EVENTS

PREFIX = "whsec_"
USER_AGENT = "DeltaCrown-Webhooks/1"
TEST = "test"
_KEY_BYTES = 32


class Envelope(msgspec.Struct, frozen=True):
    """The body. `prev` is the seq of the event that was delivered before: the rule of docs/protocol.md holds here."""

    type: str
    seq: int
    prev: int
    epoch: str
    at: str
    subject: str
    tournament: int
    data: msgspec.Raw


def new_key() -> str:
    """Return a new secret, in the form in which it is handed over."""
    return PREFIX + b64encode(chance.token_bytes(_KEY_BYTES)).decode()


def signature(key: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of the header `webhook-signature`: HMAC-SHA256 of `id.timestamp.body`."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + b64encode(digest(b64decode(key.removeprefix(PREFIX)), signed, sha256)).decode()


class Webhook:
    types = tuple(name for name, kind in EVENTS.items() if kind.audience == PUBLIC)
    retells = True

    def messages(self, endpoint: Endpoint, events: Sequence[Recorded], /) -> Iterator[Message]:
        prev = endpoint.delivered
        for event in events:
            body = Envelope(
                type=event.type,
                seq=event.seq,
                prev=prev,
                epoch=event.epoch,
                at=event.at,
                subject=event.subject,
                tournament=endpoint.tournament_id,
                data=event.data,
            )
            # The epoch belongs to it: after a backup was restored the same seq is another event.
            message_id = f"{event.stream}:{event.epoch}:{event.seq}"
            yield Message(event.seq, event.type, message_id, msgspec.json.encode(body))
            prev = event.seq

    def test(self, endpoint: Endpoint, at: datetime, /) -> Message:
        position = log.positions([endpoint.stream]).get(endpoint.stream, Position("", 0))
        body = Envelope(
            type=TEST,
            seq=endpoint.delivered,  # which whoever follows the rule has, and leaves alone
            prev=endpoint.delivered,
            epoch=position.epoch,
            at=log.iso(at),
            subject="",
            tournament=endpoint.tournament_id,
            data=msgspec.Raw(b"{}"),
        )
        return Message(endpoint.delivered, TEST, f"test:{chance.token_hex(8)}", msgspec.json.encode(body))

    def headers(self, message: Message, secrets: Secrets, at: datetime, /) -> Mapping[str, str]:
        timestamp = int(at.timestamp())
        return {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "webhook-id": message.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secrets.key, message.id, timestamp, message.body),
        }

    def judge(self, answer: Answer, /) -> Verdict:
        if answer.is_success:
            return Verdict(Fate.DELIVERED)
        if answer.status == HTTPStatus.GONE:
            return Verdict(Fate.OFF, "The receiver answered 410: it is gone for good.")
        return Verdict(Fate.RETRY, wait=answer.retry_after or 0.0)
