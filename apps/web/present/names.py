"""What people call stages, groups and rounds."""

from collections.abc import Iterable, Mapping
from typing import Any

from apps.web.present.shown import MatchShown
from apps.words import gettext, said
from engine.bracket import Bracket
from engine.projection import State
from engine.stages import Format
from engine.text import gettext as _

Row = Mapping[str, Any]
LastRounds = Mapping[tuple[int, str], int]

FORMAT_LABELS = {
    Format.SINGLE_ELIMINATION: _("Single elimination"),
    Format.DOUBLE_ELIMINATION: _("Double elimination"),
    Format.ROUND_ROBIN: _("Round robin"),
    Format.SWISS: _("Swiss"),
}


class Names:
    """
    The names in one tournament.

    Args:
        stages: its stages, as a state holds them.
        last_rounds: the last round by (stage, bracket); a final is called so by what it has behind it.
    """

    def __init__(self, stages: Iterable[Row], last_rounds: LastRounds) -> None:
        self._stages = {stage["id"]: stage for stage in sorted(stages, key=lambda stage: stage["number"])}
        self._last_rounds = last_rounds

    def stage(self, stage_id: int) -> str:
        """Return the organiser's name for a stage, else one that says what it is."""
        stage = self._stages[stage_id]
        if stage["name"]:
            return str(stage["name"])
        if not Format(stage["format"]).is_league:
            return gettext("Playoffs") if stage["number"] > 1 else gettext("Bracket")
        return gettext("Groups") if has_groups(stage) else said(FORMAT_LABELS[Format(stage["format"])])

    def round(self, match: MatchShown) -> str:
        """Return the round that a match belongs to, within its stage."""
        stage = self._stages.get(match.stage)
        played_as = Format(stage["format"]) if stage else Format.SINGLE_ELIMINATION
        return round_name(played_as, match.bracket, match.round, self.last_round(match.stage, match.bracket))

    def place(self, match: MatchShown) -> str:
        """Return where in the tournament a match is played: "Groups · Group B · Round 2"."""
        parts = [self.stage(match.stage)] if len(self._stages) > 1 else []
        parts += [group_name(match.group)] if match.group else []
        return " · ".join([*parts, self.round(match)])

    def last_round(self, stage_id: int, bracket: str) -> int:
        return self._last_rounds.get((stage_id, bracket), 0)


def names_of(state: State) -> Names:
    """Return the names in a tournament, from its whole state."""
    last: dict[tuple[int, str], int] = {}
    for row in state["matches"].values():
        key = row["stage"], row["bracket"]
        last[key] = max(last.get(key, 0), row["round"])
    return Names(state["stages"].values(), last)


def round_name(format: Format, bracket: str, round_: int, rounds: int) -> str:
    """Return the name of a round; `rounds` is how many its bracket has."""
    if format.is_league:
        return gettext("Round {number}", number=round_)
    match bracket:
        case Bracket.THIRD_PLACE:
            return gettext("Third place")
        case Bracket.GRAND_FINAL:
            return gettext("Grand final") if round_ == 1 else gettext("Grand final, reset")
        case Bracket.LOWER:
            return gettext("Lower final") if round_ == rounds else gettext("Lower round {number}", number=round_)
    if format is Format.DOUBLE_ELIMINATION:
        upper = {0: _("Upper final"), 1: _("Upper semi-finals")}
        return said(upper.get(rounds - round_) or _("Upper round {number}", number=round_))
    names = {0: _("Final"), 1: _("Semi-finals"), 2: _("Quarter-finals")}
    return said(names.get(rounds - round_) or _("Round of {entrants}", entrants=2 << rounds - round_))


def has_groups(stage: Row) -> bool:
    return bool(stage["format"] == Format.ROUND_ROBIN and stage["groups"] > 1)


def group_name(number: int) -> str:
    """Return "Group A" for 1, and after Z two letters."""
    first, second = divmod(number - 1, 26)
    letters = f"{chr(64 + first) if first else ''}{chr(65 + second)}"
    return gettext("Group {letters}", letters=letters)
