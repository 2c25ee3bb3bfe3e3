"""The tournament, its stages, and who may do what in it."""

from enum import IntEnum

from django.conf import settings
from django.db import models

from engine.bracket import MAX_ENTRANTS


class Status(models.TextChoices):
    DRAFT = "draft"
    PUBLISHED = "published"
    REGISTRATION_OPEN = "registration_open"
    REGISTRATION_CLOSED = "registration_closed"
    LIVE = "live"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Format(models.TextChoices):
    SINGLE_ELIMINATION = "single_elimination"


class Role(IntEnum):
    """What a person is in one tournament; a higher role may do all that a lower one may."""

    SPECTATOR = 0
    PLAYER = 1
    REFEREE = 2
    ORGANIZER = 3
    ADMIN = 4


class Tournament(models.Model):
    name = models.CharField(max_length=100)
    game = models.CharField(max_length=60, blank=True)
    description = models.TextField(max_length=4000, blank=True)
    accent = models.CharField(max_length=7, default="#2f6fed", help_text="The tournament's colour, #rrggbb.")
    status = models.CharField(max_length=24, choices=Status, default=Status.DRAFT)
    capacity = models.PositiveSmallIntegerField(default=16)
    check_in = models.BooleanField(default=False, help_text="Only entrants who checked in are drawn.")
    starts_at = models.DateTimeField(null=True, blank=True)
    seeding = models.CharField(max_length=12, blank=True, help_text='"manual", "random" or "" (order of registration).')
    draw_seed = models.BigIntegerField(null=True, blank=True, help_text="Replays a random draw.")
    champion = models.ForeignKey("Entry", models.SET_NULL, null=True, blank=True, related_name="+")
    runner_up = models.ForeignKey("Entry", models.SET_NULL, null=True, blank=True, related_name="+")
    third_place = models.ForeignKey("Entry", models.SET_NULL, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    is_demo = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(capacity__gte=2, capacity__lte=MAX_ENTRANTS), name="tournament_capacity_range"
            ),
        )
        indexes = (models.Index(fields=("status", "-id"), name="tournament_status"),)

    def __str__(self) -> str:
        return self.name

    @property
    def stream(self) -> str:
        return stream_name(self.pk)


class Stage(models.Model):
    """One part of a tournament, played in one format."""

    tournament = models.ForeignKey(Tournament, models.CASCADE, related_name="stages")
    number = models.PositiveSmallIntegerField(default=1)
    format = models.CharField(max_length=24, choices=Format, default=Format.SINGLE_ELIMINATION)
    third_place_match = models.BooleanField(default=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tournament", "number"), name="stage_number"),)

    def __str__(self) -> str:
        return f"{self.tournament} stage {self.number}"


class Member(models.Model):
    """A person on a tournament's staff."""

    ROLES = ((int(Role.REFEREE), "Referee"), (int(Role.ORGANIZER), "Organiser"))

    tournament = models.ForeignKey(Tournament, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.PositiveSmallIntegerField(choices=ROLES)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tournament", "user"), name="member_once"),)

    def __str__(self) -> str:
        return f"{self.user} {Role(self.role).name.lower()}"


def stream_name(tournament_id: int) -> str:
    """Return the name of a tournament's stream of events."""
    return f"tournament:{tournament_id}"
