"""A match's page, and what players and referees do on it."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from apps.eventlog.log import PUBLIC
from apps.tournaments import permissions, uploads
from apps.tournaments.models import DisputeCause, Match, Status
from apps.tournaments.selectors import lists
from apps.tournaments.selectors import pages as selectors
from apps.tournaments.selectors import teams as team_selectors
from apps.tournaments.selectors.snapshots import match_snapshot
from apps.tournaments.services import Done
from apps.tournaments.services import matches as services
from apps.tournaments.state import match_fields, station_fields
from apps.web.commands import actor, carry_out, cleaned, expected_version
from apps.web.evidence import MAX_FILES, attach
from apps.web.forms import DisputeForm, LoserForm, SideForm
from apps.web.pages import Failure, Live, page, show
from apps.web.present.activity import match_lines
from apps.web.present.mine import my_match
from apps.web.present.names import Names
from apps.web.present.results import kept_text, reports
from apps.web.present.shown import match_shown
from apps.web.present.veto import veto_shown
from apps.web.scores import score_in, stated_in, stepped
from apps.web.uploads import takes_files
from apps.web.views.console import take_back_of
from engine.bracket import Side
from engine.match_flow import MatchState
from engine.text import gettext as _

HISTORY_LIMIT = 400


@page
def match(request: HttpRequest, match_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show the score as it stands, what can be done, and how it came about. Up to 12 queries."""
    row, role = lists.match_for(request.user, match_id)
    side = permissions.side_of(request.user, row)
    team_side = None if side else team_selectors.side_played_on(request.user, row)
    live, around = match_live(row, side or team_side)
    state_row = live.state["matches"][str(match_id)]
    shown = match_shown(live.state, state_row)
    is_staff = permissions.is_staff(role)
    may_referee = is_staff and row.tournament.status != Status.CANCELLED
    subject = lists.activity(row.tournament, audience=PUBLIC, subject=row.subject).order_by("seq")
    events = list(subject[:HISTORY_LIMIT])
    names = selectors.actor_names(event.actor for event in events) if is_staff else {}
    one_match = {**live.state, "matches": {str(match_id): state_row}}
    happened = {event.type for event in events}
    kept = services.kept_result(row)
    context: dict[str, Any] = {
        "tournament": row.tournament,
        "t": {
            "accent": row.tournament.accent,
            "name": row.tournament.name,
            "id": row.tournament_id,
            "notices": row.tournament.notices,
        },
        "m": shown,
        "team_side": team_side,
        "my": my_match(live.state, shown, side.value) if side else None,
        "place": Names(live.state["stages"].values(), around.last_rounds).place(shown),
        "stage_number": row.stage.number,
        "lines": match_lines(events, one_match, names),
        "before": around.feeders,
        "winner_next": around.ids.get(shown.winner_to or 0),
        "loser_next": around.ids.get(shown.loser_to or 0),
        "may_referee": may_referee,
        "is_staff": is_staff,
        "veto": veto_shown(live.state, state_row, side=side, is_referee=may_referee, now=timezone.now()),
        "cancelled": row.tournament.status == Status.CANCELLED,
        "reopening": selectors.last_reopening(match_id) if is_staff and "match_reopened" in happened else None,
        "reports": reports(live.state, state_row),
        "kept": kept_text(live.state, kept) if kept and row.state in (MatchState.READY, MatchState.CHECK_IN) else "",
        "disputes": selectors.disputes_of(match_id) if (is_staff or side) and "result_disputed" in happened else [],
        **booking(row),
    }
    regions = {
        "notice": "web/match/_notice.html",
        "booking": "web/match/_booking.html",
        "veto": "web/match/_veto.html",
        "panel": "web/match/_panel.html",
        "history": "web/match/_history.html",
        "after": "web/match/_after.html",
    }
    return show(request, "web/match/match.html", context, regions=regions, live=live, failure=failure)


def booking(row: Match) -> dict[str, Any]:
    """Return where and when a match is played, and where it could be. One query."""
    stations = [station_fields(station) for station in row.tournament.stations.order_by("order", "pk")]
    fields = match_fields(row)
    slot = {
        "planned": fields["scheduled_at"],
        "station": next((station["name"] for station in stations if station["id"] == row.station_id), ""),
        "station_id": row.station_id,
        "called_at": row.called_at,
        "deadline_at": row.deadline_at,
        "is_open": not row.is_over,
    }
    return {"slot": slot, "stations": stations}


def match_live(row: Match, side: Side | None) -> tuple[Live, selectors.Neighbours]:
    """
    Return a match's state with the feeders' places in it, so that a waiting side can say whom it waits for.

    `side`: the side of the person looking.
    """
    snapshot = match_snapshot(row.pk)
    around = selectors.neighbours(row)
    state = {**snapshot.data, "matches": dict(snapshot.data["matches"])}
    for feeder in around.feeders:
        state["matches"][str(feeder["id"])] = feeder
    entry = row.entry_id(side) if side else None
    return Live(f"match:{row.pk}", snapshot.position, state, () if entry is None else (entry,)), around


def _posted(
    form: str, done: str | Callable[[Done], str], undo: Callable[[Done], str] | None = None
) -> Callable[[Callable[[HttpRequest, int], Done]], Callable[[HttpRequest, int], HttpResponse]]:
    """Make a view of a function that reads the form and calls the service. `undo`: see `carry_out`."""

    def decorate(act: Callable[[HttpRequest, int], Done]) -> Callable[[HttpRequest, int], HttpResponse]:
        @require_POST
        def view(request: HttpRequest, match_id: int) -> HttpResponse:
            return carry_out(
                request,
                lambda: act(request, match_id),
                form=f"{form}-{match_id}",
                done=done,
                host=reverse("match", args=[match_id]),
                undo=undo,
            )

        return view

    return decorate


@_posted("check-in", _("Checked in."))
def check_in(request: HttpRequest, match_id: int) -> Done:
    """Say that a side is here: one's own, or as the staff the one that is named."""
    sent = request.POST.get("side", "")
    side = Side(cleaned(SideForm(request.POST))["side"]) if sent else None
    return services.check_in(actor(request), match_id, side=side, expected_version=expected_version(request))


@_posted("start", _("The match has started."))
def start(request: HttpRequest, match_id: int) -> Done:
    return services.start(actor(request), match_id, expected_version=expected_version(request))


@_posted("step", "")
def step(request: HttpRequest, match_id: int) -> Done:
    score = stepped(request.POST)
    return services.update_score(actor(request), match_id, score, expected_version=expected_version(request))


@_posted("score", _("Score saved."))
def score(request: HttpRequest, match_id: int) -> Done:
    new = score_in(request.POST)
    return services.update_score(actor(request), match_id, new, expected_version=expected_version(request))


@_posted("score", _("The match is over."), take_back_of)
def finish(request: HttpRequest, match_id: int) -> Done:
    """End the match with the score that was typed; without one, with the score as it stands or was reported."""
    new = score_in(request.POST) if "home_score" in request.POST else None
    ruling = request.POST.get("ruling", "")
    return services.finish(actor(request), match_id, new, ruling=ruling, expected_version=expected_version(request))


@_posted("report", _("Your report was sent."))
def report(request: HttpRequest, match_id: int) -> Done:
    new = stated_in(request.POST)
    return services.report(actor(request), match_id, new, expected_version=expected_version(request))


@_posted("confirm", _("Result confirmed."))
def confirm(request: HttpRequest, match_id: int) -> Done:
    return services.confirm(actor(request), match_id, expected_version=expected_version(request))


@_posted("walkover", _("The walkover was awarded."), take_back_of)
def walkover(request: HttpRequest, match_id: int) -> Done:
    absent = Side(cleaned(SideForm(request.POST))["side"])
    version = expected_version(request)
    return services.award_walkover(actor(request), match_id, winner=absent.other, expected_version=version)


@_posted("forfeit", _("The forfeit was recorded."), take_back_of)
def forfeit(request: HttpRequest, match_id: int) -> Done:
    """Rule that one side loses, or both."""
    said = cleaned(LoserForm(request.POST))["side"]
    loser = None if said == "both" else Side(said)
    ruling = request.POST.get("ruling", "")
    version = expected_version(request)
    return services.forfeit(actor(request), match_id, loser=loser, ruling=ruling, expected_version=version)


@_posted("cancel", _("The match was cancelled."), take_back_of)
def cancel(request: HttpRequest, match_id: int) -> Done:
    return services.cancel(actor(request), match_id, expected_version=expected_version(request))


@_posted("take-kept", _("The earlier result counts again."), take_back_of)
def take_kept(request: HttpRequest, match_id: int) -> Done:
    return services.take_kept(actor(request), match_id, expected_version=expected_version(request))


def _takes_photos(form: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Bound what a form about a match may send before anything of it is read."""
    return takes_files(
        at_most=uploads.PICTURE,
        files=MAX_FILES,
        form=lambda match_id: f"{form}-{match_id}",
        host=lambda match_id: reverse("match", args=[match_id]),
    )


@_takes_photos("dispute")
@_posted("dispute", _("A referee decides now."))
def dispute(request: HttpRequest, match_id: int) -> Done:
    """Ask a referee to decide, with images if there are any; an image that is refused leaves the dispute open."""
    values = cleaned(DisputeForm(request.POST))
    cause = DisputeCause(values["cause"] or DisputeCause.OTHER)
    version = expected_version(request)
    done = services.dispute(actor(request), match_id, cause=cause, text=values["text"], expected_version=version)
    return attach(request, match_id) or done


@_takes_photos("evidence")
@_posted("evidence", _("The images were added."))
def evidence(request: HttpRequest, match_id: int) -> Done:
    done = attach(request, match_id, required=True)
    if done is None:
        raise AssertionError("attach() refuses a form without images")
    return done
