"""
Read the logs of tournaments for the people in them, from a cursor of our own, and write down what to tell them.

What to tell is written in the transaction that moves the cursor, and each row is unique by channel and occasion; so any
number of processes can read at the same time, and nothing is told twice or left out.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import F, Min, OuterRef, Q, Subquery

from apps.eventlog import log
from apps.eventlog.log import PUBLIC, Position
from apps.eventlog.models import Event, Stream
from apps.notifications.models import Channel, Notice, Reader
from apps.notifications.occasions import TYPES, notices, told_by, told_by_the_clock
from apps.tournaments.models import Status, Tournament

BATCH = 100  # events
_NOT_PLAYED = (Status.DRAFT, Status.COMPLETED, Status.CANCELLED)


def read_logs(now: datetime) -> int:
    """Go through everything new in all logs. Return how many events told somebody something, or could have."""
    earliest = Channel.objects.filter(active=True).aggregate(since=Min("since"))["since"]
    if earliest is None:
        return 0
    _begin(earliest)
    told = 0
    for reader in _behind():
        while (count := _read(reader, now)) is not None:
            told += count
    return told


def read_clock(now: datetime) -> None:
    """Write down what the clock tells. What has been told already stays as it is."""
    if not Channel.objects.filter(active=True).exists():
        return
    Notice.objects.bulk_create(notices(told_by_the_clock(now), now), ignore_conflicts=True)


def _begin(earliest: datetime) -> None:
    """Begin with the logs that nobody has read yet, where the first person wanted to be told of something."""
    known = Reader.objects.values("tournament")
    fresh = Tournament.objects.exclude(status__in=_NOT_PLAYED).exclude(pk__in=known)
    for tournament in fresh.only("pk"):
        position = log.positions([tournament.stream])[tournament.stream]
        before = Event.objects.filter(stream__name=tournament.stream, at__lt=earliest).order_by("-seq")
        cursor = before.values_list("seq", flat=True).first() or 0
        Reader.objects.get_or_create(
            tournament=tournament,
            defaults={"stream": tournament.stream, "epoch": position.epoch, "cursor": cursor},
        )


def _behind() -> list[Reader]:
    stream = Stream.objects.filter(name=OuterRef("stream"))
    there = Reader.objects.annotate(
        head=Subquery(stream.values("head")[:1]), now_epoch=Subquery(stream.values("epoch")[:1])
    )
    return list(there.filter(Q(cursor__lt=F("head")) | ~Q(epoch=F("now_epoch"))))


def _read(reader: Reader, now: datetime) -> int | None:
    """Read some events; None when there are none, or somebody else is reading them."""
    position = log.positions([reader.stream]).get(reader.stream)
    if position is None or position == Position(reader.epoch, reader.cursor):
        return None
    if position.epoch != reader.epoch:  # a backup was restored: what a seq of before was is not known any more
        return 0 if _move(reader, position.epoch, position.seq, []) else None
    # Read after the position, so that nothing up to there can be missing.
    events = log.read(reader.stream, after=reader.cursor, limit=BATCH, audiences=(PUBLIC,), types=TYPES)
    through = events[-1].seq if len(events) == BATCH else max([position.seq, *(event.seq for event in events)])
    if through <= reader.cursor:
        return None
    return len(events) if _move(reader, reader.epoch, through, notices(told_by(events), now)) else None


def _move(reader: Reader, epoch: str, cursor: int, told: list[Notice]) -> bool:
    with transaction.atomic():
        mine = Reader.objects.filter(pk=reader.pk, epoch=reader.epoch, cursor=reader.cursor)
        if not mine.update(epoch=epoch, cursor=cursor):
            return False  # another process has gone further
        Notice.objects.bulk_create(told, ignore_conflicts=True)
    reader.epoch, reader.cursor = epoch, cursor
    return True
