"""One match of a stage, and where its winner and loser go."""

from django.db import models

from engine.bracket import Bracket, Place, Side
from engine.match_flow import MatchState, Reason, Score

_SIDES = tuple((side.value, side.value) for side in Side)


class Match(models.Model):
    """
    `number`, `round`, `position`: see engine.bracket. A closed side stays empty for good.

    `version` counts the changes of this match; a command may name the version it was made for.
    `report` is the score that `reported_by` (a side) stated: {"home_score", "away_score", "home_shootout", …}.
    """

    tournament = models.ForeignKey("Tournament", models.CASCADE, related_name="matches")
    stage = models.ForeignKey("Stage", models.CASCADE, related_name="matches")
    number = models.PositiveSmallIntegerField()
    bracket = models.CharField(max_length=12, choices=[(b.value, b.value) for b in Bracket])
    round = models.PositiveSmallIntegerField()
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=16, choices=[(s.value, s.value) for s in MatchState])
    home = models.ForeignKey("Entry", models.PROTECT, null=True, blank=True, related_name="home_matches")
    away = models.ForeignKey("Entry", models.PROTECT, null=True, blank=True, related_name="away_matches")
    home_closed = models.BooleanField(default=False)
    away_closed = models.BooleanField(default=False)
    home_score = models.PositiveSmallIntegerField(default=0)
    away_score = models.PositiveSmallIntegerField(default=0)
    home_shootout = models.PositiveSmallIntegerField(null=True, blank=True)
    away_shootout = models.PositiveSmallIntegerField(null=True, blank=True)
    reported_by = models.CharField(max_length=4, choices=_SIDES, blank=True)
    report = models.JSONField(null=True, blank=True)
    winner = models.ForeignKey("Entry", models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=12, choices=[(r.value, r.value) for r in Reason], blank=True)
    winner_to = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Number of a match.")
    winner_to_side = models.CharField(max_length=4, choices=_SIDES, blank=True)
    loser_to = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Number of a match.")
    loser_to_side = models.CharField(max_length=4, choices=_SIDES, blank=True)
    version = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "matches"
        constraints = (
            models.UniqueConstraint(fields=("stage", "number"), name="match_number"),
            models.CheckConstraint(
                condition=~models.Q(state__in=("ready", "live", "pending_result"))
                | models.Q(home__isnull=False, away__isnull=False),
                name="match_playable_has_both",
            ),
            models.CheckConstraint(
                condition=models.Q(winner__isnull=True)
                | models.Q(winner=models.F("home"))
                | models.Q(winner=models.F("away")),
                name="match_winner_played",
            ),
        )
        indexes = (models.Index(fields=("tournament", "state"), name="match_state"),)

    def __str__(self) -> str:
        return f"Match {self.number}"

    @property
    def subject(self) -> str:
        """The name under which the log files this match's events."""
        return f"match:{self.pk}"

    @property
    def score(self) -> Score:
        return Score(self.home_score, self.away_score, self.home_shootout, self.away_shootout)

    @score.setter
    def score(self, score: Score) -> None:
        self.home_score, self.away_score = score.home, score.away
        self.home_shootout, self.away_shootout = score.home_shootout, score.away_shootout

    @property
    def winner_place(self) -> Place | None:
        return None if self.winner_to is None else Place(self.winner_to, Side(self.winner_to_side))

    @property
    def loser_place(self) -> Place | None:
        return None if self.loser_to is None else Place(self.loser_to, Side(self.loser_to_side))

    def entry_id(self, side: Side) -> int | None:
        return self.home_id if side is Side.HOME else self.away_id
