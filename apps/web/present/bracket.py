"""The drawing of a single-elimination bracket: columns of slots, from the matches of a state."""

from dataclasses import dataclass

from apps.web.present.shown import MatchShown, SideShown, feeders, match_shown
from engine.projection import State

TV_ROWS = 8  # a drawing with more rows is for a desk
TV_ROWS_MOST = 16  # and with more than these it cannot be read across a hall


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a column: a match, or the pass of an entrant with a bye."""

    match: MatchShown | None
    bye: SideShown | None = None
    bye_path: str = ""  # how the page keeps the name current: "m.5.home"


@dataclass(frozen=True, slots=True)
class Column:
    round: int
    name: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """`rows` is the number of slots in the first column; `too_tall` says that a hall sees its first round as a list."""

    columns: tuple[Column, ...]
    third_place: MatchShown | None
    rows: int
    too_tall: bool = False


def round_name(round_: int, rounds: int) -> str:
    """Return what people call a round: "Final", "Semi-finals", "Round of 16"."""
    names = {0: "Final", 1: "Semi-finals", 2: "Quarter-finals"}
    left = rounds - round_
    return names.get(left) or f"Round of {2 << left}"


def match_name(match: MatchShown, rounds: int) -> str:
    """Return the round that a match belongs to, or "Third place"."""
    return "Third place" if match.bracket == "third_place" else round_name(match.round, rounds)


def rounds_of(state: State) -> int:
    """Return how many rounds the bracket has; 0 before there is one."""
    return max((row["round"] for row in state["matches"].values()), default=0)


def drawing(state: State, *, tv: bool = False) -> Drawing | None:
    """
    Return the bracket, or None before it is drawn.

    With `tv`, rounds that are over are left out until the last four are to be seen.
    """
    rounds = rounds_of(state)
    if not rounds:
        return None
    sources = feeders(state)
    shown = [match_shown(state, row, sources) for row in state["matches"].values()]
    main = {(m.round, m.position): m for m in shown if m.bracket == "main"}
    third = next((m for m in shown if m.bracket == "third_place"), None)
    first = _first_round_on_tv(main, rounds) if tv else 1
    columns = tuple(
        Column(r, round_name(r, rounds), tuple(_slot(main, r, p) for p in range(1, (1 << (rounds - r)) + 1)))
        for r in range(first, rounds + 1)
    )
    rows = 1 << (rounds - first)
    return Drawing(columns, third, rows, too_tall=tv and rows > TV_ROWS_MOST)


def _slot(main: dict[tuple[int, int], MatchShown], round_: int, position: int) -> Slot:
    match = main.get((round_, position))
    after = main.get((round_ + 1, (position + 1) // 2))
    if match is not None or after is None:
        return Slot(match)
    side = "home" if position % 2 else "away"
    return Slot(None, after.home if position % 2 else after.away, f"m.{after.id}.{side}")


def _first_round_on_tv(main: dict[tuple[int, int], MatchShown], rounds: int) -> int:
    first = 1
    while 1 << (rounds - first) > TV_ROWS and all(
        m.state == "completed" for (round_, _), m in main.items() if round_ == first
    ):
        first += 1
    return first
