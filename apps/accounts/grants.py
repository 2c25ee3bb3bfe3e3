"""What an API token gives of its owner's rights. What that means in a tournament is said in permissions.py."""

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    READ = "read"  # what everybody may see, and the owner's own matches and entries; every token has it
    PLAY = "play"  # what the owner may do with their own entries and matches
    REFEREE = "referee"
    ORGANISE = "organise"


@dataclass(frozen=True, slots=True)
class Grant:
    """
    A person who acts through a token carries its grant (`User.grant`), and may do less by it, never more.

    `token` is the token's id; `tournament` the only one in which it counts, None for all.
    """

    token: int
    scopes: frozenset[Scope]
    tournament: int | None = None

    def covers(self, tournament_id: int | None) -> bool:
        """Return whether it counts in a tournament; None stands for what belongs to no tournament."""
        return self.tournament is None or self.tournament == tournament_id
