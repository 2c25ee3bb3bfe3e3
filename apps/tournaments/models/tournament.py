"""The tournament, its stages, and who may do what in it."""

from enum import IntEnum

import msgspec
from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from engine.bracket import MAX_ENTRANTS
from engine.stages import Format, StageSettings


class Status(models.TextChoices):
    DRAFT = "draft"
    PUBLISHED = "published"
    REGISTRATION_OPEN = "registration_open"
    REGISTRATION_CLOSED = "registration_closed"
    LIVE = "live"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


BEFORE_PLAY = (Status.DRAFT, Status.PUBLISHED, Status.REGISTRATION_OPEN, Status.REGISTRATION_CLOSED)


class Participation(models.TextChoices):
    SOLO = "solo"
    TEAM = "team"


class EntryRule(models.TextChoices):
    """Who gets in."""

    OPEN = "open"
    APPROVAL = "approval"  # an organiser accepts each entrant
    INVITE = "invite"  # whoever knows the code


class NoShowRule(models.TextChoices):
    """What becomes of confirmed entrants who did not check in."""

    DROP = "drop"  # their places go to the waitlist, and the others are seeded without them
    WALKOVER = "walkover"  # they keep their places in the draw, and their opponents walk over


class StageState(models.TextChoices):
    PENDING = "pending"  # not drawn
    LIVE = "live"
    COMPLETED = "completed"


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
    starts_at = models.DateTimeField(null=True, blank=True)
    participation = models.CharField(max_length=4, choices=Participation, default=Participation.SOLO)
    roster_min = models.PositiveSmallIntegerField(default=1, help_text="Players of a team, the captain included.")
    roster_max = models.PositiveSmallIntegerField(default=10)
    entry_rule = models.CharField(max_length=8, choices=EntryRule, default=EntryRule.OPEN)
    invite_code = models.CharField(max_length=40, blank=True)
    rating_min = models.FloatField(null=True, blank=True)
    rating_max = models.FloatField(null=True, blank=True)
    late_entry = models.BooleanField(default=False, help_text="Entrants can join a Swiss stage that has begun.")
    claim_minutes = models.PositiveSmallIntegerField(
        default=0, help_text="How long a free place is held for the first on the waitlist; 0: it is theirs at once."
    )
    check_in = models.BooleanField(default=False, help_text="Entrants say that they are here before the draw.")
    check_in_opens_at = models.DateTimeField(null=True, blank=True)
    check_in_closes_at = models.DateTimeField(null=True, blank=True)
    check_in_closed = models.BooleanField(default=False, help_text="Who did not check in has been dealt with.")
    no_show_rule = models.CharField(max_length=8, choices=NoShowRule, default=NoShowRule.DROP)
    match_check_in_minutes = models.PositiveSmallIntegerField(
        default=0, help_text="How long both sides have to check in to a match; 0: no check-in."
    )
    confirm_minutes = models.PositiveSmallIntegerField(
        default=15, help_text="After how long a report counts that nobody answered; 0: never."
    )
    match_minutes = models.PositiveSmallIntegerField(
        default=30, help_text="How long a match of one game takes in the schedule; a best of N takes N times that."
    )
    rest_minutes = models.PositiveSmallIntegerField(
        default=0, help_text="How long an entrant rests between two matches of the schedule."
    )
    notices = models.JSONField(default=list, help_text="Announcements that stand: [{id, text, at}], the oldest first.")
    notices_made = models.PositiveIntegerField(default=0)
    rated = models.BooleanField(default=False)
    seeding = models.CharField(
        max_length=12, blank=True, help_text='"manual", "random", "rating" or "" (order of registration).'
    )
    draw_seed = models.BigIntegerField(null=True, blank=True, help_text="Replays a random draw.")
    champion = models.ForeignKey("Entry", models.SET_NULL, null=True, blank=True, related_name="+")
    runner_up = models.ForeignKey("Entry", models.SET_NULL, null=True, blank=True, related_name="+")
    third_place = models.ForeignKey("Entry", models.SET_NULL, null=True, blank=True, related_name="+")
    on_stream = models.ForeignKey("Match", models.SET_NULL, null=True, blank=True, related_name="+")
    overlay_key = models.PositiveIntegerField(
        default=1, help_text="Counts the renewals: addresses of overlays are signed with it, and end with it."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    is_demo = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(capacity__gte=2, capacity__lte=MAX_ENTRANTS), name="tournament_capacity_range"
            ),
        )
        indexes = (
            models.Index(fields=("status", "-id"), name="tournament_status"),
            models.Index(
                fields=("check_in_closes_at",),
                condition=models.Q(check_in=True, check_in_closed=False, check_in_closes_at__isnull=False),
                name="tournament_check_in",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def stream(self) -> str:
        return stream_name(self.pk)


class Stage(models.Model):
    """One part of a tournament, played in one format. `settings`: see engine.stages.StageSettings."""

    tournament = models.ForeignKey(Tournament, models.CASCADE, related_name="stages")
    number = models.PositiveSmallIntegerField(default=1)
    name = models.CharField(max_length=60, blank=True)
    format = models.CharField(
        max_length=24, choices=[(f.value, f.value) for f in Format], default=Format.SINGLE_ELIMINATION
    )
    settings = models.JSONField(default=dict)
    state = models.CharField(max_length=9, choices=StageState, default=StageState.PENDING)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tournament", "number"), name="stage_number"),)

    def __str__(self) -> str:
        return f"{self.tournament} stage {self.number}"

    @property
    def options(self) -> StageSettings:
        return msgspec.convert(self.settings, StageSettings)

    @options.setter
    def options(self, options: StageSettings) -> None:
        self.settings = msgspec.to_builtins(options)

    @property
    def is_league(self) -> bool:
        return Format(self.format).is_league


class StageEntry(models.Model):
    """
    One entrant of one stage. `seed` counts from 1 in the stage; `group` from 1, 0 without groups.

    `lot` was drawn with the stage and decides when all else is level; the lowest wins.
    `byes`: the rounds of a Swiss stage that the entrant was paired with nobody. `annulled`: their results do not
    count in the standings. `rank` is known when the stage is over.
    """

    stage = models.ForeignKey(Stage, models.CASCADE, related_name="entries")
    entry = models.ForeignKey("Entry", models.CASCADE, related_name="stage_entries")
    seed = models.PositiveSmallIntegerField()
    group = models.PositiveSmallIntegerField(default=0)
    lot = models.PositiveIntegerField(default=0)
    byes = models.JSONField(default=list)
    annulled = models.BooleanField(default=False)
    rank = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "stage entries"
        constraints = (models.UniqueConstraint(fields=("stage", "entry"), name="stage_entry_once"),)

    def __str__(self) -> str:
        return f"{self.entry} in {self.stage}"


class Station(models.Model):
    """A court, table or setup where matches are played."""

    tournament = models.ForeignKey(Tournament, models.CASCADE, related_name="stations")
    name = models.CharField(max_length=40)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint("tournament", Lower("name"), name="station_name"),)

    def __str__(self) -> str:
        return self.name


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
