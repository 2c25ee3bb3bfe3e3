"""What the search finds things by."""

from django.db import models

MAX_WORD = 40


def _index(of: str) -> models.Index:
    # The operator classes let PostgreSQL find a beginning in it, whatever its language; SQLite needs none.
    return models.Index(
        fields=("word", of),
        condition=models.Q(**{f"{of}__isnull": False}),
        opclasses=("varchar_pattern_ops", "int8_ops"),
        name=f"search_{of}",
    )


class SearchWord(models.Model):
    """
    One word that one thing is found by: a tournament's of its name and game, a team's of its name and tag, an entrant's
    of its name and players. Written by services.searching alone; can be thrown away and made again at any time.
    """

    word = models.CharField(max_length=MAX_WORD, help_text="As text.words_of has it.")
    tournament = models.ForeignKey("Tournament", models.CASCADE, null=True, blank=True, related_name="words")
    team = models.ForeignKey("Team", models.CASCADE, null=True, blank=True, related_name="words")
    entry = models.ForeignKey("Entry", models.CASCADE, null=True, blank=True, related_name="words")

    class Meta:
        indexes = (_index("tournament"), _index("team"), _index("entry"))

    def __str__(self) -> str:
        return self.word
