"""
Every error of the engine.

    EngineError
    ├── IllegalStep        the match is not in a state that allows this
    ├── IllegalMove        that cannot be chosen now in a veto
    ├── InvalidScore       the numbers cannot be a result
    ├── InvalidSettings    a stage cannot be played like that
    ├── InvalidField       these entrants cannot be drawn or ranked
    ├── InvalidTieBreak    a rule of order that there is not
    ├── Undecided          a tie that is not broken stands where it has to be
    └── InvalidSchedule    the matches cannot be planned as they are given
"""

from engine.text import Listed, Text
from engine.text import gettext as _


class EngineError(Exception):
    """Base of all refusals; `text` is a sentence for the person who asked, `str()` the same in English."""

    @property
    def text(self) -> Text:
        text: Text = self.args[0]
        return text

    def __str__(self) -> str:
        return str(self.text)


# What a match can be, and what can be done with it (engine.match_flow), in a sentence.
_STATES = {
    "scheduled": _("scheduled"),
    "check_in": _("check in"),
    "ready": _("ready"),
    "live": _("live"),
    "pending_result": _("pending result"),
    "disputed": _("disputed"),
    "completed": _("completed"),
    "forfeit": _("forfeit"),
    "cancelled": _("cancelled"),
}
_STEPS = {
    "fill": _("fill"),
    "ask_for_check_in": _("ask for check in"),
    "check_in_match": _("check in match"),
    "assemble": _("assemble"),
    "postpone": _("postpone"),
    "start_match": _("start match"),
    "update_score": _("update score"),
    "report_score": _("report score"),
    "confirm_result": _("confirm result"),
    "dispute_result": _("dispute result"),
    "complete_match": _("complete match"),
    "forfeit_match": _("forfeit match"),
    "award_walkover": _("award walkover"),
    "no_show": _("no show"),
    "drop": _("drop"),
    "cancel_match": _("cancel match"),
    "skip": _("skip"),
    "empty": _("empty"),
    "reopen_match": _("reopen match"),
}


class IllegalStep(EngineError):
    """Raised when a match's state does not allow a step."""

    def __init__(self, *, state: str, step: str, possible: tuple[str, ...]) -> None:
        self.state, self.step, self.possible = state, step, possible
        super().__init__(state, step, possible)

    @property
    def text(self) -> Text:
        if not self.possible:  # a match that waits is the only one that nobody can do anything with
            return _(
                "An entrant of this match is still to come. It can begin when the matches that lead to it are over."
            )
        return _(
            "The match is {state}, so “{step}” is not possible. Possible now: {possible}.",
            state=_STATES.get(self.state, self.state),
            step=_STEPS.get(self.step, self.step),
            possible=Listed(_STEPS.get(step, step) for step in self.possible),
        )


class IllegalMove(EngineError):
    """Raised when something is chosen in a veto that is not to be chosen now."""

    def __init__(self, *, possible: tuple[str, ...]) -> None:
        self.possible = possible
        super().__init__(possible)

    @property
    def text(self) -> Text:
        if not self.possible:
            return _("The veto is over; nothing is left to choose.")
        return _("That cannot be chosen now. Possible: {options}.", options=Listed(self.possible))


class InvalidScore(EngineError):
    """Raised when a score is out of range or does not name a winner where one is needed."""


class InvalidSettings(EngineError):
    """Raised when a stage's settings are out of range or contradict each other."""


class InvalidField(EngineError):
    """
    Raised when a bracket is asked for fewer or more entrants than the format can hold, and when results do not fit the
    entrants that are to be ranked.
    """


class InvalidTieBreak(EngineError):
    """Raised when a tie-break, its scope or the year of the rules is unknown, or a lot is missing."""


class Undecided(EngineError):
    """Raised when level entrants stand on both sides of a line, and nothing says who is in."""


class InvalidSchedule(EngineError):
    """Raised when matches wait for each other, for one that is missing, or fit on no station."""
