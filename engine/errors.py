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


class EngineError(Exception):
    """Base of all refusals; `str()` is a sentence for the person who asked."""


class IllegalStep(EngineError):
    """Raised when a match's state does not allow a step."""

    def __init__(self, *, state: str, step: str, possible: tuple[str, ...]) -> None:
        self.state, self.step, self.possible = state, step, possible
        super().__init__(state, step, possible)

    def __str__(self) -> str:
        if not self.possible:  # a match that waits is the only one that nobody can do anything with
            return "An entrant of this match is still to come. It can begin when the matches that lead to it are over."
        now = ", ".join(name.replace("_", " ") for name in self.possible)
        return (
            f"The match is {self.state.replace('_', ' ')}, so “{self.step.replace('_', ' ')}” is not possible. "
            f"Possible now: {now}."
        )


class IllegalMove(EngineError):
    """Raised when something is chosen in a veto that is not to be chosen now."""

    def __init__(self, *, possible: tuple[str, ...]) -> None:
        self.possible = possible
        super().__init__(possible)

    def __str__(self) -> str:
        if not self.possible:
            return "The veto is over; nothing is left to choose."
        return f"That cannot be chosen now. Possible: {', '.join(self.possible)}."


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
