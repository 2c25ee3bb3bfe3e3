"""The drawing of an elimination stage: columns of slots, from the matches of a state."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from apps.web.present.meeting import Sends, sends, winner_meets
from apps.web.present.names import round_name
from apps.web.present.shown import MatchShown, SideShown, feeders, match_shown
from apps.words import gettext, ngettext
from engine.bracket import Bracket
from engine.projection import State
from engine.stages import Format

TV_ROWS = 8  # a drawing with more rows is for a desk
TV_ROWS_MOST = 16  # and with more than these it cannot be read across a hall
LARGE_ROWS = 32  # a first round of more matches than half of these is folded when it is over
FOLDED_SLOTS_LEAST = 8  # a round of fewer is never in the way

Places = dict[tuple[int, int], MatchShown]


@dataclass(frozen=True, slots=True)
class Slot:
    """
    A place in a column: a match, the pass of an entrant with a bye, or nothing. `fed`: a line leads into it.

    `meets` is whom the winner of the match meets next, in a sentence, else "".
    """

    match: MatchShown | None
    bye: SideShown | None = None
    bye_path: str = ""  # how the page keeps the name current: "m.5.home"
    fed: bool = True
    meets: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """
    A round. `straight`: each slot leads to the one beside it; otherwise two lead to one.

    `folded`: nobody needs it open to follow what is going on.
    """

    key: str
    name: str
    slots: tuple[Slot, ...]
    straight: bool = False
    folded: bool = False

    @property
    def matches(self) -> list[MatchShown]:
        return [slot.match for slot in self.slots if slot.match is not None]

    @property
    def best_of(self) -> int:
        """Return how many games its matches have at most, 0 where that is one or not the same for all."""
        lengths = {match.best_of for match in self.matches}
        return lengths.pop() if len(lengths) == 1 and lengths != {1} else 0

    @property
    def is_over(self) -> bool:
        return all(match.over for match in self.matches)

    @property
    def state(self) -> str:
        """Return "done", "live", "open" (some are over) or "" (nothing has been played)."""
        matches = self.matches
        if not matches:
            return ""
        if self.is_over:
            return "done"
        if any(match.state == "live" for match in matches):
            return "live"
        return "open" if any(match.over for match in matches) else ""

    @property
    def says(self) -> str:
        """Return its state in a word or two; static/web/js/bracket/rounds.js says the same."""
        over = sum(match.over for match in self.matches)
        live = sum(match.state == "live" for match in self.matches)
        match self.state:
            case "done":
                return gettext("done")
            case "live":
                return ngettext("{count} live", "{count} live", live)
            case "open":
                return gettext("{count} of {total}", count=over, total=len(self.matches))
        return ""


@dataclass(frozen=True, slots=True)
class Part:
    """Columns that follow from each other: the whole bracket ("main"), or its "upper", "lower" and "final" part."""

    kind: str
    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """`rows`: how many slots are on top of each other. `crowded`: what a hall sees instead of too many of them."""

    parts: tuple[Part, ...]
    third_place: MatchShown | None
    rows: int
    crowded: tuple[Column, ...] = ()

    @property
    def matches(self) -> list[MatchShown]:
        """Return all that is drawn."""
        found = [match for part in self.parts for column in part.columns for match in column.matches]
        return found if self.third_place is None else [*found, self.third_place]

    @property
    def is_large(self) -> bool:
        """Return whether a map helps to find one's way: past 32 entrants."""
        return self.rows >= LARGE_ROWS


def drawing(state: State, *, tv: bool = False) -> Drawing | None:
    """
    Return the bracket of the stage whose matches alone are in `state`, or None before it is drawn.

    With `tv`, rounds that are over are left out while there are too many rows to be read across a hall; else the first
    rounds that are over are folded where the bracket is large.
    """
    sources = feeders(state)
    shown = [match_shown(state, row, sources) for row in state["matches"].values()]
    if not shown:
        return None
    upper, lower, final = (_places(shown, bracket) for bracket in (Bracket.MAIN, Bracket.LOWER, Bracket.GRAND_FINAL))
    third = next((m for m in shown if m.bracket == Bracket.THIRD_PLACE), None)
    played_as = Format.DOUBLE_ELIMINATION if final else Format.SINGLE_ELIMINATION
    parts = [Part("upper" if final else "main", gettext("Upper bracket"), _main_columns(upper, played_as))]
    if lower:
        parts.append(Part("lower", gettext("Lower bracket"), _lower_columns(lower)))
    if tv:
        parts = _without_what_is_over(parts)
    rows = sum(len(part.columns[0].slots) for part in parts)
    if rows >= LARGE_ROWS and not tv:
        parts = [Part(part.kind, part.name, _folded(part.columns)) for part in parts]
    crowded = tuple(part.columns[0] for part in parts) if tv and rows > TV_ROWS_MOST else ()
    if final:
        columns = tuple(_column(final, Bracket.GRAND_FINAL, round_, 1) for round_ in range(1, _last(final) + 1))
        if lower:
            parts.append(Part("final", gettext("Grand final"), columns))
        else:  # of two entrants the loser goes on straight away
            parts = [Part("main", "", (*(_straight(column) for column in parts[0].columns), *columns))]
    known = sends(state)
    parts = [Part(part.kind, part.name, tuple(_met(state, column, known) for column in part.columns)) for part in parts]
    return Drawing(tuple(parts), third, rows, crowded)


def _places(shown: Iterable[MatchShown], bracket: Bracket) -> Places:
    return {(m.round, m.position): m for m in shown if m.bracket == bracket}


def _last(places: Places) -> int:
    return max(round_ for round_, _ in places)


def _main_columns(places: Places, played_as: Format) -> tuple[Column, ...]:
    rounds = _last(places)
    columns = []
    for round_ in range(1, rounds + 1):
        slots = tuple(_slot(places, round_, position) for position in range(1, (1 << rounds - round_) + 1))
        columns.append(Column(f"round-{round_}", round_name(played_as, Bracket.MAIN, round_, rounds), slots))
    return tuple(columns)


def _lower_columns(places: Places) -> tuple[Column, ...]:
    """
    Return the rounds of a lower bracket, of which every second one has half as many places as the one before.

    Counted from its final: rounds in which entrants drop in and rounds among themselves take turns, so the places are
    1, 1, 2, 2, 4, 4, …
    """
    rounds = _last(places)
    columns: list[Column] = []
    for round_ in range(1, rounds + 1):
        left = rounds - round_
        straight = left % 2 == 1
        slots = tuple(
            _slot(places, round_, position, straight=straight, fed=columns[-1] if columns else None)
            for position in range(1, (1 << left // 2) + 1)
        )
        name = round_name(Format.DOUBLE_ELIMINATION, Bracket.LOWER, round_, rounds)
        columns.append(Column(f"lower-{round_}", name, slots, straight))
    return tuple(columns)


def _slot(places: Places, round_: int, position: int, *, straight: bool = False, fed: Column | None = None) -> Slot:
    """
    Return what stands at a place. Where there is no match, whoever is in the next one came there by a pass.

    `fed`: the column before, when some of its slots may be empty.
    """
    is_fed = fed is None or not fed.straight or not _is_empty(fed.slots[position - 1])
    match = places.get((round_, position))
    if match is not None:
        return Slot(match, fed=is_fed)
    # Survivors of a lower round meet those who drop in as the away side.
    place, side = (position, "away") if straight else ((position + 1) // 2, "home" if position % 2 else "away")
    after = places.get((round_ + 1, place))
    if after is None:
        return Slot(None, fed=False)
    return Slot(None, after.home if side == "home" else after.away, f"m.{after.id}.{side}", fed=is_fed)


def _is_empty(slot: Slot) -> bool:
    return slot.match is None and slot.bye is None


def _column(places: Places, bracket: Bracket, round_: int, slots: int) -> Column:
    name = round_name(Format.DOUBLE_ELIMINATION, bracket, round_, _last(places))
    return Column(
        f"{bracket.replace('_', '-')}-{round_}",
        name,
        tuple(_slot(places, round_, position) for position in range(1, slots + 1)),
        straight=True,
    )


def _straight(column: Column) -> Column:
    return replace(column, straight=True)


def _met(state: State, column: Column, known: Sends) -> Column:
    """Return a round whose slots say whom each winner meets."""
    slots = (
        slot
        if slot.match is None
        else replace(slot, meets=winner_meets(state, state["matches"][str(slot.match.id)], known))
        for slot in column.slots
    )
    return replace(column, slots=tuple(slots))


def _folded(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Return the columns, of which the first that are over are folded."""
    shown = []
    is_folded = True
    for column in columns:
        is_folded = is_folded and column.is_over and len(column.slots) >= FOLDED_SLOTS_LEAST
        shown.append(replace(column, folded=is_folded))
    return tuple(shown)


def _without_what_is_over(parts: list[Part]) -> list[Part]:
    """Return the parts without first rounds that are over, until few enough rows are left, or play is going on."""
    while sum(len(part.columns[0].slots) for part in parts) > TV_ROWS:
        tallest = max(parts, key=lambda part: len(part.columns[0].slots))
        if not all(slot.match is None or slot.match.over for slot in tallest.columns[0].slots):
            break
        at = parts.index(tallest)
        parts = [*parts[:at], Part(tallest.kind, tallest.name, tallest.columns[1:]), *parts[at + 1 :]]
    return parts
