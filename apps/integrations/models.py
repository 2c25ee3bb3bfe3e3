"""Where the events of a tournament are delivered to, how that went, and who has an address for their calendar."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from apps.tournaments.models import Tournament


class Kind(models.TextChoices):
    WEBHOOK = "webhook"  # a program; gets every public event, signed
    DISCORD = "discord"  # a channel; gets some of them in words


class Endpoint(models.Model):
    """
    Somewhere that an organiser has events delivered to, in order.

    What is secret of it, address included, lies in `sealed`; `host` is what may be shown. `types` are the events that
    are delivered, none meaning all. `stream` is the log's name of the tournament's stream, to be joined with it.

    `cursor` is how far the log has been gone through, `delivered` the seq of the last event that arrived. One worker at
    a time has the lease and moves them. `revision` counts the organiser's changes: a worker that began before one of
    them moves nothing any more.
    """

    tournament = models.ForeignKey(Tournament, models.CASCADE, related_name="endpoints")
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=60)
    host = models.CharField(max_length=255)
    sealed = models.TextField()
    types = models.JSONField(default=list)
    stream = models.CharField(max_length=64)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    active = models.BooleanField(default=True)
    off_reason = models.CharField(max_length=200, blank=True, help_text="Why the site switched it off.")
    revision = models.PositiveIntegerField(default=0)
    test_at = models.DateTimeField(null=True, blank=True, help_text="When a test was asked for.")

    cursor = models.PositiveBigIntegerField()
    delivered = models.PositiveBigIntegerField()
    failures = models.PositiveIntegerField(default=0, help_text="Attempts that failed since the last that did not.")
    failing_since = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    lease_owner = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Attempt(models.Model):
    """One attempt to deliver. Of the answer only the status is kept; `number` counts from 1 for each event."""

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="attempts")
    seq = models.PositiveBigIntegerField()
    type = models.CharField(max_length=40)
    number = models.PositiveIntegerField(default=1)
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    milliseconds = models.PositiveIntegerField()
    error = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return f"{self.seq} {self.type}: {self.status or self.error}"


class CalendarFeed(models.Model):
    """The secret address of a person's calendar; only the hash of its token is kept. A new one ends the one before."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="calendar_feed")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"calendar of {self.user}"
