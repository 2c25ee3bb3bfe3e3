"""Disputes about results with their evidence, and what a reopened match undid."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from apps.tournaments.models.match import SIDES


class DisputeCause(models.TextChoices):
    SCORE = "score", gettext_lazy("Score")
    NO_SHOW = "no_show", gettext_lazy("No Show")
    RULES = "rules", gettext_lazy("Rules")
    TECHNICAL = "technical", gettext_lazy("Technical")
    OTHER = "other", gettext_lazy("Other")


class Dispute(models.Model):
    """
    Why a match is disputed. Open until `resolved_at`. For the staff and both sides; not part of the public state.

    `opened_by` is a side, or empty when two different reports opened it.
    """

    match = models.ForeignKey("Match", models.CASCADE, related_name="disputes")
    opened_by = models.CharField(max_length=4, choices=SIDES, blank=True)
    cause = models.CharField(max_length=12, choices=DisputeCause)
    text = models.TextField(max_length=2000, blank=True)
    ruling = models.TextField(max_length=2000, blank=True)
    opened_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("match",), condition=models.Q(resolved_at__isnull=True), name="dispute_one_open"
            ),
        )

    def __str__(self) -> str:
        return f"Dispute {self.pk} of match {self.match_id}"


class Evidence(models.Model):
    """An image. The file's name is the SHA-256 of its content. One that is hidden is for the staff alone."""

    dispute = models.ForeignKey(Dispute, models.CASCADE, related_name="evidence")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    file = models.CharField(max_length=80)
    content_type = models.CharField(max_length=20)
    size = models.PositiveIntegerField()
    uploaded_at = models.DateTimeField()
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name_plural = "evidence"
        constraints = (models.UniqueConstraint(fields=("dispute", "file"), name="evidence_once"),)

    def __str__(self) -> str:
        return self.file

    @property
    def path(self) -> str:
        """Where the file lies in Django's default storage."""
        return f"evidence/{self.file}"


class Reopening(models.Model):
    """
    What reopening a match changed, so that it can be taken back exactly.

    `before`: rows as they stood, of "matches" that it changed, and of the draws of later stages that it took back
    ("withdrawn" are the stages' ids, "removed_matches" and "removed_stage_entries" the rows). `after`: the versions of
    the matches that the reopening left; they tell whether anything has happened to them since.
    """

    tournament = models.ForeignKey("Tournament", models.CASCADE, related_name="reopenings")
    match = models.ForeignKey("Match", models.CASCADE, related_name="reopenings")
    before = models.JSONField()
    after = models.JSONField()
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Reopening {self.pk} of match {self.match_id}"
