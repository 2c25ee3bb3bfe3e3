"""The feed of a tournament, filtered by who, what, which match and which entrant; all of it from the address."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.http import urlencode

from apps.eventlog.models import Event
from apps.tournaments.selectors.activity import KINDS, about, of_kind
from apps.tournaments.services.unit import CLOCK
from apps.web.present.activity import QUIET
from engine.projection import State
from engine.text import gettext as _

MAX_DIGITS = 9
MOST_NAMES = 300  # that are suggested

KIND_LABELS = {
    "results": _("Results"),
    "play": _("Play, step by step"),
    "entrants": _("Entrants"),
    "bracket": _("Draws and stages"),
    "schedule": _("Schedule"),
    "announcements": _("Announcements"),
    "tournament": _("The tournament"),
    "staff": _("Staff"),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """
    What is looked for. `by` is an actor of the log, `what` one of KINDS, `match` the number of a match, `entrant` a
    name or a part of one; each "" for all.
    """

    by: str = ""
    what: str = ""
    match: str = ""
    entrant: str = ""

    @property
    def is_set(self) -> bool:
        return bool(self.by or self.what or self.match or self.entrant)

    @property
    def query(self) -> str:
        """The filter as a page's address says it, to go before other parameters: "what=results&", or ""."""
        given = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name)}
        return f"{urlencode(given)}&" if given else ""


def filter_in(sent: Mapping[str, str], *, is_staff: bool) -> Filter:
    """Return what an address asks for, without what means nothing. Who did it is for the staff."""
    by, what, match = (sent.get(name, "").strip() for name in ("by", "what", "match"))
    is_actor = by == CLOCK or (by.startswith("user:") and by[5:].isdigit() and len(by) <= 5 + MAX_DIGITS)
    return Filter(
        by=by if is_staff and is_actor else "",
        what=what if what in KINDS and (is_staff or what != "staff") else "",
        match=match if match.isascii() and match.isdigit() and len(match) <= MAX_DIGITS else "",
        entrant=sent.get("entrant", "").strip()[:60],
    )


def filtered(found: QuerySet[Event], wanted: Filter, state: State) -> QuerySet[Event]:
    """Return the events that are looked for. Without any filter the story is told; steps inside it are left out."""
    if wanted.by:
        found = found.filter(actor=wanted.by)
    if wanted.what:
        found = of_kind(found, wanted.what)
    elif not (wanted.match or wanted.entrant):
        found = found.exclude(type__in=QUIET)
    if wanted.match:
        ids = [row["id"] for row in state["matches"].values() if str(row["number"]) == wanted.match.lstrip("0")]
        found = about(found, matches=ids, entries=[])
    if wanted.entrant:
        part = wanted.entrant.casefold()
        entries = {row["id"] for row in state["entries"].values() if part in row["name"].casefold()}
        played = [row["id"] for row in state["matches"].values() if row["home"] in entries or row["away"] in entries]
        found = about(found, matches=played, entries=sorted(entries)[:MOST_NAMES])
    return found


def names_in(state: State) -> list[str]:
    """Return the entrants' names, to be suggested."""
    return sorted((row["name"] for row in state["entries"].values()), key=str.casefold)[:MOST_NAMES]
