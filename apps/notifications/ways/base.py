"""What each way of telling somebody has in common."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from hashlib import sha256
from typing import Protocol, Self

from django.conf import settings

from apps.integrations.addresses import Target
from apps.integrations.delivery import Poster
from apps.notifications.models import Channel, Notice
from apps.notifications.words import Text


class Fate(Enum):
    SENT = auto()
    RETRY = auto()
    DROPPED = auto()  # this one will never be taken
    OFF = auto()  # nothing will ever be taken there, until the person does something
    GONE = auto()  # the channel does not exist any more


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt. `reason` says it to the person; `wait`: the least seconds until it is tried again."""

    fate: Fate
    reason: str = ""
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Errand:
    """A notice that is under way. `id` is the same however often it is tried, for who can tell a repetition by it."""

    notice: Notice
    channel: Channel
    text: Text
    now: datetime
    language: str

    @property
    def id(self) -> str:
        return sha256(f"{self.channel.pk}/{self.notice.occasion}".encode()).hexdigest()[:32]

    @property
    def link(self) -> str:
        return origin_of(self.channel) + self.text.path


Open = Callable[[Target], "Line"]


class Line(Poster, Protocol):
    """A line to a target that is closed after use; integrations.sending.Line is one."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Courier(Protocol):
    def __call__(self, errand: Errand, line_to: Open, /) -> Outcome:
        """Make one attempt. Raises nothing for what goes wrong on the way."""
        ...


def origin_of(channel: Channel) -> str:
    """Return how the site's addresses begin, as the person reaches it."""
    return str(settings.SITE_URL or channel.origin).rstrip("/")
