"""Teams, which exist across tournaments."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower


class Team(models.Model):
    """
    A team; its captain acts for it. `tag` is the short name that stands before a player's.

    A team that was disbanded stays, without members, for the tournaments that it played in; its name is free again. It
    has no captain if that account is deleted.
    """

    name = models.CharField(max_length=60)
    tag = models.CharField(max_length=8, blank=True)
    captain = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="captained_teams")
    created_at = models.DateTimeField()
    disbanded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(Lower("name"), condition=models.Q(disbanded_at__isnull=True), name="team_name"),
        )

    def __str__(self) -> str:
        return self.name


class TeamMember(models.Model):
    """A player of a team, the captain included. Invited until `joined_at`."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="teams")
    joined_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("team", "user"), name="team_member_once"),)

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


class Rating(models.Model):
    """
    The strength of a player or a team in one game, as engine.ratings folds it from all rated matches.

    Can be thrown away and computed again at any time.
    """

    game = models.CharField(max_length=60)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="ratings")
    team = models.ForeignKey(Team, models.CASCADE, null=True, blank=True, related_name="ratings")
    mu = models.FloatField()
    sigma = models.FloatField()
    matches = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("game", "user"), name="rating_user"),
            models.UniqueConstraint(fields=("game", "team"), name="rating_team"),
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, team__isnull=True)
                | models.Q(user__isnull=True, team__isnull=False),
                name="rating_of_one",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user or self.team} in {self.game}"
