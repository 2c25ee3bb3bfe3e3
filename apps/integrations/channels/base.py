"""What a kind of endpoint has to know: which events, in what form, and what an answer means."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Protocol

from apps.eventlog.log import Recorded
from apps.integrations.models import Endpoint
from apps.integrations.sealing import Secrets
from apps.integrations.sending import Answer


@dataclass(frozen=True, slots=True)
class Message:
    """One request: `seq` and `type` of the last event in it, its id for the receiver, and its body."""

    seq: int
    type: str
    id: str
    body: bytes


class Fate(Enum):
    DELIVERED = auto()
    SKIPPED = auto()  # will never be taken; what follows may
    RETRY = auto()
    OFF = auto()  # nothing will ever be taken there


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What becomes of a message. `reason` is why the endpoint is switched off.

    `wait`: for RETRY the least seconds until then. `counts`: whether the pause grows by it; a receiver that says when
    to come back has not failed.
    """

    fate: Fate
    reason: str = ""
    wait: float = 0.0
    counts: bool = True


class Channel(Protocol):
    @property
    def types(self) -> Sequence[str]:
        """The events that can be delivered there."""
        ...

    @property
    def retells(self) -> bool:
        """Whether what was missed while it was off, or is asked for again, is delivered."""
        ...

    def messages(self, endpoint: Endpoint, events: Sequence[Recorded], /) -> Iterator[Message]:
        """Give the requests for these events, in order. May ask the database before the first."""
        ...

    def test(self, endpoint: Endpoint, at: datetime, /) -> Message:
        """Return a request that changes nothing for a receiver, and shows that it gets there."""
        ...

    def headers(self, message: Message, secrets: Secrets, at: datetime, /) -> Mapping[str, str]: ...

    def judge(self, answer: Answer, /) -> Verdict: ...
