"""The registration of one entrant in one tournament."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower


class EntryStatus(models.TextChoices):
    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    WITHDRAWN = "withdrawn"
    NO_SHOW = "no_show"


ACTIVE = (EntryStatus.CONFIRMED, EntryStatus.WAITLISTED)


class Entry(models.Model):
    """
    An entrant. `user` is the player, or None for a name that the organiser entered.

    The waitlist is the waitlisted entries in order of id; a person who comes back gets a new row, at its end.
    """

    tournament = models.ForeignKey("Tournament", models.CASCADE, related_name="entries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="entries")
    name = models.CharField(max_length=60)
    status = models.CharField(max_length=12, choices=EntryStatus, default=EntryStatus.CONFIRMED)
    seed = models.PositiveSmallIntegerField(null=True, blank=True)
    checked_in_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "entries"
        constraints = (
            models.UniqueConstraint(
                fields=("tournament", "user"),
                condition=models.Q(status__in=ACTIVE, user__isnull=False),
                name="entry_one_active_per_user",
            ),
            models.UniqueConstraint(
                "tournament", Lower("name"), condition=models.Q(status__in=ACTIVE), name="entry_active_name"
            ),
        )
        indexes = (models.Index(fields=("tournament", "status", "id"), name="entry_waitlist"),)

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE
