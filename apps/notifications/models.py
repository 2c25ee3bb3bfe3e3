"""Whom to tell what, and by which ways; what has been told. All of it goes when the person does."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from apps.tournaments.models import Entry, Match, Tournament


class Way(models.TextChoices):
    PUSH = "push"  # a browser, on one device
    MAIL = "mail"
    DISCORD = "discord"


class Kind(models.TextChoices):
    """What a person can be told of."""

    MATCH = "match", _("My match is up: it can be played, check-in runs, or it is called to its station")
    SOON = "soon", _("My match starts in ten minutes")
    RESULT = "result", _("My opponent reported a result that I confirm")
    CHECK_IN = "check_in", _("Check-in of a tournament is open")
    PLACE = "place", _("I have a place: from the waitlist, or accepted")


TEST = "test"  # the kind of what a person sends to themselves to see whether it arrives


class Preferences(models.Model):
    """`kinds` are those that the person wants, each with since when (ISO 8601): {"match": "2026-11-25T18:00:00Z"}."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_preferences")
    kinds = models.JSONField(default=dict)
    language = models.CharField(max_length=16, blank=True, help_text="Empty: the language of the site.")

    def __str__(self) -> str:
        return f"preferences of {self.user}"

    def since(self, kind: str) -> datetime | None:
        """Return since when the person wants to be told of this, None if they do not."""
        return parse_datetime(self.kinds.get(kind, ""))


class Channel(models.Model):
    """
    One way to one person: a browser, their mail, their webhook of Discord.

    What is secret of it, address included, lies in `sealed`; of a mail channel nothing, for the address is the
    account's. `digest` tells the subscriptions of browsers apart. `origin` is where the person switched it on, for
    links where the site has no SITE_URL.
    """

    MOST: ClassVar[int] = 12  # of one person

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notification_channels")
    way = models.CharField(max_length=8, choices=Way)
    name = models.CharField(max_length=60)
    sealed = models.TextField(blank=True)
    digest = models.CharField(max_length=64, unique=True, null=True, blank=True, help_text="SHA-256 of the endpoint.")
    origin = models.CharField(max_length=255)
    since = models.DateTimeField(help_text="In the precision that events carry.")
    active = models.BooleanField(default=True)
    off_reason = models.CharField(max_length=200, blank=True, help_text="Why the site switched it off.")
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "way"), condition=~models.Q(way=Way.PUSH), name="channel_one_of_a_way"
            ),
        )

    def __str__(self) -> str:
        return f"{self.way} {self.name}"


class Reader(models.Model):
    """How far the log of a tournament has been gone through for the people in it."""

    tournament = models.OneToOneField(Tournament, models.CASCADE, related_name="+")
    stream = models.CharField(max_length=64, unique=True)
    epoch = models.CharField(max_length=12)
    cursor = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.stream} @ {self.epoch}:{self.cursor}"


class NoticeState(models.TextChoices):
    WAITING = "waiting"
    SENT = "sent"
    DROPPED = "dropped"  # nothing to say any more, or it can never arrive


class Notice(models.Model):
    """
    Something to tell by one channel, once. The row is there before anything is sent.

    `occasion` is what it is about: an event ("tournament:7:9f3c2e1a0b4d:41"), or a moment ("soon:5:2026-11-25T18:00Z").
    `more` is how many further matches the same occasion makes playable. Its words are found when it is sent.
    """

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="notices")
    occasion = models.CharField(max_length=100)
    kind = models.CharField(max_length=8)
    entry = models.ForeignKey(Entry, models.CASCADE, null=True, related_name="+")
    match = models.ForeignKey(Match, models.CASCADE, null=True, related_name="+")
    more = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="After that it is of no use.")

    state = models.CharField(max_length=8, choices=NoticeState, default=NoticeState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)
    next_attempt_at = models.DateTimeField()
    lease_owner = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("channel", "occasion"), name="notice_once"),)
        indexes = (
            models.Index(
                fields=("next_attempt_at",), condition=models.Q(state=NoticeState.WAITING), name="notice_waiting"
            ),
            models.Index(fields=("created_at",), name="notice_created"),
        )

    def __str__(self) -> str:
        return f"{self.occasion}: {self.state}"


class SiteKey(models.Model):
    """A key that the site made for itself, sealed."""

    name = models.CharField(max_length=20, unique=True)
    sealed = models.TextField()

    def __str__(self) -> str:
        return self.name
