"""Any past moment of a tournament: its bracket and standings, folded from the log by the same rule as the present."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

from apps.eventlog.log import STAFF
from apps.tournaments.selectors import pages as selectors
from apps.tournaments.selectors.history import tournament_snapshot_at
from apps.web.pages import Failure, page, show
from apps.web.present import activity as story
from apps.web.present.names import names_of
from apps.web.views.tournaments import stage_shown, tournament_context

MAX_SEQ_DIGITS = 15


@page
def history(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """
    Show the stage as it stood at `?at=`: a seq of the log, or a time (in UTC unless it says otherwise); else now.

    Up to ten queries; one of them reads the log up to that moment.
    """
    tournament, role, _ = selectors.visited(request.user, tournament_id)
    line = selectors.timeline(tournament, moment(request.GET.get("at", "")), steps_over=story.QUIET)
    # What is shown is public, and where the timeline begins for the person looking is decided already.
    snapshot = tournament_snapshot_at(tournament_id, line.present.seq, audience=STAFF)
    state = snapshot.data
    names = names_of(state)
    context: dict[str, Any] = {
        **tournament_context(state, names, tournament, role),
        **stage_shown(state, request.GET),
        "tab": "history",
        "line": line,
        "is_now": line.present.seq == line.last,
        "happened": [one.text for one in story.tournament_lines([line.present], state, {})],
    }
    regions = {"past": "web/tournament/_past.html"}
    return show(request, "web/tournament/history.html", context, regions=regions, failure=failure)


def moment(text: str) -> int | datetime | None:
    """Return the moment that was asked for, None for one that cannot be read."""
    if text.isascii() and text.isdigit() and len(text) <= MAX_SEQ_DIGITS:
        return int(text)
    with suppress(ValueError, OverflowError):
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return None
