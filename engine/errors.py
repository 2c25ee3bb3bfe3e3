"""
Every error of the engine.

    EngineError
    ├── IllegalStep        the match is not in a state that allows this
    ├── InvalidScore       the numbers cannot be a result
    ├── InvalidField       so many entrants cannot be drawn
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
        now = ", ".join(name.replace("_", " ") for name in self.possible) or "nothing more"
        return (
            f"The match is {self.state.replace('_', ' ')}, so “{self.step.replace('_', ' ')}” is not possible. "
            f"Possible now: {now}."
        )


class InvalidScore(EngineError):
    """Raised when a score is out of range or does not name a winner where one is needed."""


class InvalidField(EngineError):
    """Raised when a bracket is asked for fewer or more entrants than the format can hold."""


class InvalidSchedule(EngineError):
    """Raised when matches wait for each other, for one that is missing, or fit on no station."""
