"""What an overlay's address says about how it looks and what it shows. What is odd in it is as if it were not there."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apps.web.reader import language_named

THEMES = ("dark", "light", "accent")
SCALES = (50, 75, 90, 100, 110, 125, 150, 175, 200)  # per cent; overlay.css has a rule for each
POSITIONS = (
    "top-left", "top", "top-right",
    "left", "center", "right",
    "bottom-left", "bottom", "bottom-right",
)  # fmt: skip
_MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Kind:
    """
    One overlay: where it stands and how many rows it has unless its address says otherwise; 0: it has none.

    `most`: how many rows the picture has room for. `takes`: what of the tournament an address can choose.
    """

    name: str
    position: str
    rows: int = 0
    most: int = 0
    takes: tuple[str, ...] = ()


KINDS = {
    kind.name: kind
    for kind in (
        Kind("scoreboard", "top", takes=("match", "station")),
        Kind("bracket", "center", takes=("match", "station")),
        Kind("veto", "bottom", takes=("match", "station")),
        Kind("next", "bottom-right", rows=4, most=12, takes=("station",)),
        Kind("standings", "center", rows=10, most=16, takes=("stage", "group")),
        Kind("results", "bottom", rows=8, most=20, takes=("stage",)),
        Kind("check-in", "center"),
    )
}


TITLES: dict[str, str | Promise] = {
    "scoreboard": gettext_lazy("Scoreboard"),
    "bracket": gettext_lazy("Bracket path"),
    "veto": gettext_lazy("Pick and ban"),
    "next": gettext_lazy("Next up"),
    "standings": gettext_lazy("Standings"),
    "results": gettext_lazy("Results"),
    "check-in": gettext_lazy("Check-in"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """`match` and `station` are ids, `stage` and `group` numbers from 1; 0, or "", where the address says nothing."""

    theme: str
    scale: int
    position: str
    rows: int
    match: int = 0
    station: int = 0
    stage: int = 0
    group: int = 0
    preview: bool = False
    lang: str = ""

    @property
    def until(self) -> str:
        """The rows, as templates slice lists."""
        return f":{self.rows}"


def options_in(kind: Kind, query: Mapping[str, str]) -> Options:
    """Return the options that the query of an address names."""
    theme, position, scale = query.get("theme", ""), query.get("position", ""), _number(query, "scale")
    return Options(
        theme=theme if theme in THEMES else THEMES[0],
        scale=scale if scale in SCALES else 100,
        position=position if position in POSITIONS else kind.position,
        rows=min(_number(query, "rows") or kind.rows, kind.most),
        preview=query.get("preview") == "1",
        lang=language_named(query),
        **{name: _number(query, name) for name in ("match", "station", "stage", "group") if name in kind.takes},
    )


def _number(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else 0
