"""In words, what reopening a match would undo."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.web.present.names import Names
from apps.web.present.shown import MatchShown, entrant_name, match_shown
from engine.projection import State

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lost:
    """A later match that loses its result or score: where it is, how it stands now, whether it is being played."""

    match: MatchShown
    place: str
    is_live: bool


@dataclass(frozen=True, slots=True)
class Leaving:
    """Somebody who loses a place in a later match."""

    name: str
    match: MatchShown
    place: str


@dataclass(frozen=True, slots=True)
class EffectsShown:
    """`live` are those of `lost` that are being played now. `withdrawn`: stages whose draw is taken back."""

    lost: list[Lost]
    live: list[Lost]
    leaving: list[Leaving]
    withdrawn: list[str]

    @property
    def is_nothing(self) -> bool:
        return not (self.lost or self.leaving or self.withdrawn)


def effects_shown(
    state: State,
    names: Names,
    *,
    voided: Iterable[Row],
    live: Iterable[int],
    leaving: Iterable[tuple[int, str, int]],
    withdrawn: Iterable[int],
) -> EffectsShown:
    """
    Return the effects with names and places; of the matches as they stand now in `state`.

    Matches of stages whose draw is taken back are told by the stage alone, except for those that lose a result.
    """
    playing = set(live)
    lost = []
    for row in voided:
        shown = match_shown(state, row)
        lost.append(Lost(shown, names.place(shown), row["id"] in playing))
    gone = []
    for match_id, _, entry_id in leaving:
        shown = match_shown(state, state["matches"][str(match_id)])
        gone.append(Leaving(entrant_name(state, entry_id) or "?", shown, names.place(shown)))
    return EffectsShown(lost, [one for one in lost if one.is_live], gone, [names.stage(stage) for stage in withdrawn])
