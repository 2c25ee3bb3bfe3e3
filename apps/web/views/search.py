"""One search for tournaments, teams and entrants."""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from apps.tournaments.selectors import pages, search
from apps.web.pages import Failure, page, show
from apps.web.views.home import accents
from apps.words import said
from engine.text import gettext as _

Find = Callable[[slice], Sequence[Any]]

MAX_QUERY = 100
MAX_PAGE = 1000
_OF_EACH = 9
_ON_PAGE = 30

KINDS = {"tournaments": _("Tournaments"), "entrants": _("Entrants"), "teams": _("Teams")}
WHEN = {"": _("All"), "live": _("Live"), "upcoming": _("Upcoming"), "finished": _("Finished")}


@page
def find(request: HttpRequest, *, failure: Failure | None = None) -> HttpResponse:
    """
    Show what `?q=` finds: some of each kind, with `kind=` all of one, page by page. Up to eight queries.

    `when=` leaves what is live, upcoming or finished; alone, it lists the tournaments that are.
    """
    query = request.GET.get("q", "")[:MAX_QUERY].replace("\0", "").strip()
    words = search.asked(query)
    when = request.GET.get("when", "")
    kind = request.GET.get("kind", "")
    number = _page_number(request.GET.get("page", ""))
    found: dict[str, Find] = {}
    if words or when in search.WHEN:
        found["tournaments"] = lambda within: search.tournaments(request.user, words, within, when=when)
    if words:
        found["entrants"] = lambda within: search.entrants(words, within, when=when)
    if words and when not in search.WHEN:  # a team is not at a time
        found["teams"] = lambda within: search.teams(words, within)
    chosen = {kind: found[kind]} if kind in found else found
    parts = [_part(name, find_rows, number if kind in found else None) for name, find_rows in chosen.items()]
    rows: dict[str, Sequence[Any]] = {part["kind"]: part["rows"] for part in parts}
    shown, played_in = rows.get("tournaments", []), rows.get("entrants", [])
    live = [row for row in shown if row.status == "live"]
    context = {
        "query": query,
        "when": when if when in search.WHEN else "",
        "whens": [(value, said(label)) for value, label in WHEN.items()],
        "kind": kind if kind in found else "",
        "page_number": number,
        "parts": [part for part in parts if part["rows"]],
        "asked": bool(found),
        "progress": pages.match_progress(live) if live else {},
        "accents": accents([*shown, *(entry.tournament for entry in played_in)]),
    }
    return show(request, "web/search.html", context, failure=failure)


def _part(kind: str, find_rows: Find, number: int | None) -> dict[str, Any]:
    """Return the rows of one page of a kind, or the first few for `None`, and whether there are more."""
    size = _OF_EACH if number is None else _ON_PAGE
    start = ((number or 1) - 1) * size
    seen = find_rows(slice(start, start + size + 1))
    return {"kind": kind, "label": said(KINDS[kind]), "rows": seen[:size], "has_more": len(seen) > size}


def _page_number(sent: str) -> int:
    return min(int(sent), MAX_PAGE) if sent.isascii() and sent.isdigit() and len(sent) <= len(str(MAX_PAGE)) else 1
