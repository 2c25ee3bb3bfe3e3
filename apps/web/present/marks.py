"""What reopening a match would undo, as marks on the cards of its bracket."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from apps.tournaments.services.reopening import Effects
from apps.words import gettext as _
from engine.projection import State


@dataclass(slots=True)
class Mark:
    """`kind`: this, voided, live or withdrawn, or "" when only somebody leaves; `leaving` are sides."""

    kind: str = ""
    leaving: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        return {
            "this": _("this match"),
            "voided": _("loses its result"),
            "live": _("would be stopped"),
            "withdrawn": _("draw taken back"),
        }.get(self.kind, _("somebody else comes"))


def marks_of(effects: Effects, state: State) -> Mapping[int, Mark]:
    """Return the marks by match."""
    found: dict[int, Mark] = {}
    live = set(effects.live)
    for row in state["matches"].values():
        if row["stage"] in effects.withdrawn:
            found[row["id"]] = Mark("withdrawn")
    for row in effects.voided:
        if row["stage"] not in effects.withdrawn:
            found[row["id"]] = Mark("live" if row["id"] in live else "voided")
    for match_id, side, _entry in effects.leaving:
        found.setdefault(match_id, Mark()).leaving.append(side)
    found[effects.match["id"]] = Mark("this")
    return found


def stages_touched(marks: Iterable[int], state: State) -> list[int]:
    """Return the ids of the stages with a mark, the first to the last."""
    touched = {state["matches"][str(match)]["stage"] for match in marks}
    numbers = {row["id"]: row["number"] for row in state["stages"].values()}
    return sorted(touched, key=numbers.__getitem__)
