"""The registration of one entrant in one tournament."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower


class EntryStatus(models.TextChoices):
    PENDING = "pending"  # waits for an organiser's approval
    CONFIRMED = "confirmed"
    WAITLISTED = "waitlisted"
    OFFERED = "offered"  # a place is held until `claim_by`
    WITHDRAWN = "withdrawn"
    DECLINED = "declined"
    EXPIRED = "expired"  # did not claim the place in time
    NO_SHOW = "no_show"
    DISQUALIFIED = "disqualified"


ACTIVE = (EntryStatus.PENDING, EntryStatus.CONFIRMED, EntryStatus.WAITLISTED, EntryStatus.OFFERED)
TAKES_A_PLACE = (EntryStatus.CONFIRMED, EntryStatus.OFFERED)


class Entry(models.Model):
    """
    An entrant. `user` acts for it: the player, the team's captain, or None for a name that the organiser entered, and
    for somebody whose account is deleted.

    The waitlist is in the order of `waitlisted_at`, then id; a person who comes back gets a new row, at its end.
    `roster` is a team's players as they were when it registered or last changed them: [{"user": 5, "name": "ada"}, …];
    the `user` of one whose account is deleted is None.
    `claim_by`: until when a place is, or was, held for an entrant on the waitlist.
    `left_at`: when they withdrew or were disqualified; what was decided because of it came then or later.
    """

    tournament = models.ForeignKey("Tournament", models.CASCADE, related_name="entries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="entries")
    team = models.ForeignKey("Team", models.PROTECT, null=True, blank=True, related_name="entries")
    roster = models.JSONField(default=list)
    name = models.CharField(max_length=60)
    status = models.CharField(max_length=12, choices=EntryStatus, default=EntryStatus.CONFIRMED)
    seed = models.PositiveSmallIntegerField(null=True, blank=True)
    checked_in_at = models.DateTimeField(null=True, blank=True)
    waitlisted_at = models.DateTimeField(null=True, blank=True)
    claim_by = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
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
        indexes = (
            models.Index(fields=("tournament", "status", "id"), name="entry_waitlist"),
            models.Index(fields=("claim_by",), condition=models.Q(status="offered"), name="entry_claim"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE
