"""Append-only streams of events. Written by `log` alone."""

import uuid

from django.db import models


def new_epoch() -> str:
    return uuid.uuid4().hex[:12]


class Stream(models.Model):
    """
    One numbered sequence of events, for example "tournament:7".

    `head` is the seq of the newest event, 0 before the first. `epoch` changes only when history is rewritten
    (a restored backup); a position (epoch, seq) of another epoch cannot be resumed.
    """

    name = models.CharField(max_length=64, unique=True)
    epoch = models.CharField(max_length=12, default=new_epoch)
    head = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} @ {self.epoch}:{self.head}"


class Event(models.Model):
    """
    Something that happened, at position `seq` of its stream. Never deleted, and changed by `log.redact` alone.

    audience: "public", "staff", or "user:<id>". subject: "match:<id>" or "". data: JSON text, exactly as it is sent.
    actor: "user:<id>", or "" for the system.
    """

    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="events")
    seq = models.PositiveBigIntegerField()
    type = models.CharField(max_length=40)
    audience = models.CharField(max_length=40)
    subject = models.CharField(max_length=40, blank=True)
    data = models.TextField()
    actor = models.CharField(max_length=40, blank=True)
    command_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("stream", "seq"), name="eventlog_event_stream_seq"),)
        indexes = (models.Index(fields=("stream", "subject", "seq"), name="eventlog_event_subject"),)

    def __str__(self) -> str:
        return f"{self.seq} {self.type}"


class Receipt(models.Model):
    """
    The answer that a command got, kept so that a retry of the same command gets it again and does nothing.

    fingerprint: of the command's arguments; the id with other arguments is another command, and refused.
    """

    actor = models.CharField(max_length=40)
    command_id = models.CharField(max_length=64)
    action = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=64)
    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, related_name="+")
    seq = models.PositiveBigIntegerField()
    answer = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("actor", "command_id"), name="eventlog_receipt_command"),)

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.command_id}"
