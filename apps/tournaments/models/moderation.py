"""What people report to the staff, and who may not take part any more."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Complaint(models.TextChoices):
    OFFENSIVE = "offensive", _("Offensive")
    IMPERSONATION = "impersonation", _("Impersonation")
    PRIVATE = "private", _("Private information")
    SPAM = "spam", _("Advertising")
    OTHER = "other", _("Other")


class Report(models.Model):
    """
    Somebody finds a name or an image unfit. Open until `resolved_at`.

    About one of `entry`, `team` and `evidence`; `shown` is the name as it stood, or the image's file. A report about an
    entry or an image goes to the staff of its tournament, and all go to the administrators of the site, who alone see
    who reported.
    """

    tournament = models.ForeignKey("Tournament", models.CASCADE, null=True, blank=True, related_name="reports")
    entry = models.ForeignKey("Entry", models.CASCADE, null=True, blank=True, related_name="reports")
    team = models.ForeignKey("Team", models.CASCADE, null=True, blank=True, related_name="reports")
    evidence = models.ForeignKey("Evidence", models.CASCADE, null=True, blank=True, related_name="reports")
    shown = models.CharField(max_length=80)
    reason = models.CharField(max_length=16, choices=Complaint)
    text = models.TextField(max_length=1000, blank=True)
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    note = models.CharField(max_length=200, blank=True, help_text="What was done about it.")
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(entry__isnull=False, tournament__isnull=False, team=None, evidence=None)
                | models.Q(evidence__isnull=False, tournament__isnull=False, team=None, entry=None)
                | models.Q(team__isnull=False, tournament=None, entry=None, evidence=None),
                name="report_of_one",
            ),
        )
        indexes = (
            models.Index(fields=("reporter", "-created_at"), name="report_reporter"),
            models.Index(
                fields=("tournament",), condition=models.Q(resolved_at__isnull=True), name="report_open_in_tournament"
            ),
        )

    def __str__(self) -> str:
        return f"{self.shown}: {self.get_reason_display()}"


class Ban(models.Model):
    """A person who may not enter a tournament. `reason` is for the staff."""

    tournament = models.ForeignKey("Tournament", models.CASCADE, related_name="bans")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="bans")
    reason = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("tournament", "user"), name="ban_once"),)

    def __str__(self) -> str:
        return f"{self.user} in {self.tournament}"
