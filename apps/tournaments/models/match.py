"""One match of a stage, and where its winner and loser go."""

from django.db import models

from engine.bracket import Bracket, Place, Side
from engine.match_flow import OVER, MatchState, Reason, Score

SIDES = tuple((side.value, side.value) for side in Side)


class Match(models.Model):
    """
    `number`, `round`, `position`, `group`, `sends_on`: see engine.bracket. A closed side stays empty for good.

    `version` counts the changes of this match; a command may name the version it was made for.
    `games` are the scores of a best-of-N, [{"home": 13, "away": 7}, …]; home_score and away_score then count games.
    `report` is what `reported_by` (a side) stated and `counter_report` what the other side said instead, both like
    {"home_score", "away_score", "home_shootout", "away_shootout", "games"}.
    `deadline_at`: when the match is decided for whoever is there (check_in), or the report counts (pending_result).
    `scheduled_at` is a whole minute; with `station` it is a booking, which nothing else may overlap
    (services.bookings). `called_at`: when the entrants were asked to come.
    `kept` are results that a reopening took away, {"home", "away", "home_score", …}; they are offered when the same
    two meet here again.
    `veto` is how the two settled what the games are played on (engine.veto.Veto), None when they have not begun;
    `veto_seed` is its chance, a secret until it is over, and `veto_deadline_at` when chance chooses the next step.
    """

    tournament = models.ForeignKey("Tournament", models.CASCADE, related_name="matches")
    stage = models.ForeignKey("Stage", models.CASCADE, related_name="matches")
    number = models.PositiveSmallIntegerField()
    bracket = models.CharField(max_length=12, choices=[(b.value, b.value) for b in Bracket])
    round = models.PositiveSmallIntegerField()
    position = models.PositiveSmallIntegerField()
    group = models.PositiveSmallIntegerField(default=0)
    best_of = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=16, choices=[(s.value, s.value) for s in MatchState])
    home = models.ForeignKey("Entry", models.PROTECT, null=True, blank=True, related_name="home_matches")
    away = models.ForeignKey("Entry", models.PROTECT, null=True, blank=True, related_name="away_matches")
    home_closed = models.BooleanField(default=False)
    away_closed = models.BooleanField(default=False)
    home_score = models.PositiveSmallIntegerField(default=0)
    away_score = models.PositiveSmallIntegerField(default=0)
    home_shootout = models.PositiveSmallIntegerField(null=True, blank=True)
    away_shootout = models.PositiveSmallIntegerField(null=True, blank=True)
    games = models.JSONField(default=list)
    home_checked_in = models.BooleanField(default=False)
    away_checked_in = models.BooleanField(default=False)
    reported_by = models.CharField(max_length=4, choices=SIDES, blank=True)
    report = models.JSONField(null=True, blank=True)
    counter_report = models.JSONField(null=True, blank=True)
    winner = models.ForeignKey("Entry", models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=12, choices=[(r.value, r.value) for r in Reason], blank=True)
    winner_to = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Number of a match.")
    winner_to_side = models.CharField(max_length=4, choices=SIDES, blank=True)
    loser_to = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Number of a match.")
    loser_to_side = models.CharField(max_length=4, choices=SIDES, blank=True)
    sends_on = models.CharField(max_length=4, choices=SIDES, blank=True)
    kept = models.JSONField(default=list)
    deadline_at = models.DateTimeField(null=True, blank=True)
    veto = models.JSONField(null=True, blank=True)
    veto_seed = models.CharField(max_length=64, blank=True)
    veto_deadline_at = models.DateTimeField(null=True, blank=True)
    station = models.ForeignKey("Station", models.SET_NULL, null=True, blank=True, related_name="matches")
    scheduled_at = models.DateTimeField(null=True, blank=True)
    called_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "matches"
        constraints = (
            models.UniqueConstraint(fields=("stage", "number"), name="match_number"),
            models.CheckConstraint(
                condition=~models.Q(state__in=("check_in", "ready", "live", "pending_result", "disputed", "completed"))
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
        indexes = (
            models.Index(fields=("tournament", "state"), name="match_state"),
            models.Index(fields=("stage", "state"), name="match_stage_state"),
            models.Index(fields=("deadline_at",), condition=models.Q(deadline_at__isnull=False), name="match_deadline"),
            models.Index(
                fields=("scheduled_at",),
                condition=models.Q(state="ready", scheduled_at__isnull=False),
                name="match_scheduled",
            ),
            models.Index(
                fields=("veto_deadline_at",),
                condition=models.Q(veto_deadline_at__isnull=False),
                name="match_veto_deadline",
            ),
        )

    def __str__(self) -> str:
        return f"Match {self.number}"

    @property
    def subject(self) -> str:
        """The name under which the log files this match's events."""
        return f"match:{self.pk}"

    @property
    def score(self) -> Score:
        games = tuple((game["home"], game["away"]) for game in self.games)
        return Score(self.home_score, self.away_score, self.home_shootout, self.away_shootout, games)

    @score.setter
    def score(self, score: Score) -> None:
        for name, value in score.fields().items():
            setattr(self, name, value)

    def forget_veto(self) -> None:
        self.veto, self.veto_seed, self.veto_deadline_at = None, "", None

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    @property
    def winner_place(self) -> Place | None:
        return None if self.winner_to is None else Place(self.winner_to, Side(self.winner_to_side))

    @property
    def loser_place(self) -> Place | None:
        return None if self.loser_to is None else Place(self.loser_to, Side(self.loser_to_side))

    def entry_id(self, side: Side) -> int | None:
        return self.home_id if side is Side.HOME else self.away_id
