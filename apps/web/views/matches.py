"""A match's page, and what players and referees do on it."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.eventlog.log import PUBLIC
from apps.tournaments import permissions
from apps.tournaments.models import Match, Status
from apps.tournaments.selectors import lists
from apps.tournaments.selectors import pages as selectors
from apps.tournaments.selectors import teams as team_selectors
from apps.tournaments.selectors.snapshots import match_snapshot
from apps.tournaments.services import Done
from apps.tournaments.services import matches as services
from apps.web.commands import actor, carry_out, cleaned, expected_version
from apps.web.forms import ScoreForm, SideForm, StepForm, score_of, stepped
from apps.web.pages import Failure, Live, page, show
from apps.web.present.activity import match_lines
from apps.web.present.bracket import match_name
from apps.web.present.mine import my_match
from apps.web.present.shown import match_shown
from engine.bracket import Side

HISTORY_LIMIT = 400


@page
def match(request: HttpRequest, match_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show the score as it stands, what can be done, and how it came about. Up to 12 queries."""
    row, role = lists.match_for(request.user, match_id)
    side = permissions.side_of(request.user, row)
    team_side = None if side else team_selectors.side_played_on(request.user, row)
    live, around = match_live(row, side or team_side)
    shown = match_shown(live.state, live.state["matches"][str(match_id)])
    subject = lists.activity(row.tournament, audience=PUBLIC, subject=row.subject).order_by("seq")
    events = list(subject[:HISTORY_LIMIT])
    names = selectors.actor_names(events) if permissions.is_staff(role) else {}
    one_match = {**live.state, "matches": {str(match_id): live.state["matches"][str(match_id)]}}
    context: dict[str, Any] = {
        "tournament": row.tournament,
        "t": {"accent": row.tournament.accent, "name": row.tournament.name, "id": row.tournament_id},
        "m": shown,
        "team_side": team_side,
        "my": my_match(shown, side.value) if side else None,
        "round_name": match_name(shown, around.rounds),
        "lines": match_lines(events, one_match, names),
        "before": [
            {**feeder, "what": "The winner" if feeder["winner_to"] == shown.number else "The loser"}
            for feeder in around.feeders
        ],
        "winner_next": around.ids.get(shown.winner_to or 0),
        "loser_next": around.ids.get(shown.loser_to or 0),
        "may_referee": permissions.is_staff(role) and row.tournament.status != Status.CANCELLED,
        "is_staff": permissions.is_staff(role),
        "cancelled": row.tournament.status == Status.CANCELLED,
    }
    regions = {
        "notice": "web/match/_notice.html",
        "panel": "web/match/_panel.html",
        "history": "web/match/_history.html",
        "after": "web/match/_after.html",
    }
    return show(request, "web/match/match.html", context, regions=regions, live=live, failure=failure)


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
    form: str, done: str | Callable[[Done], str]
) -> Callable[[Callable[[HttpRequest, int], Done]], Callable[[HttpRequest, int], HttpResponse]]:
    """Make a view of a function that reads the form and calls the service."""

    def decorate(act: Callable[[HttpRequest, int], Done]) -> Callable[[HttpRequest, int], HttpResponse]:
        @require_POST
        def view(request: HttpRequest, match_id: int) -> HttpResponse:
            return carry_out(
                request,
                lambda: act(request, match_id),
                form=f"{form}-{match_id}",
                done=done,
                host=reverse("match", args=[match_id]),
            )

        return view

    return decorate


@_posted("start", "The match has started.")
def start(request: HttpRequest, match_id: int) -> Done:
    return services.start(actor(request), match_id, expected_version=expected_version(request))


@_posted("step", "")
def step(request: HttpRequest, match_id: int) -> Done:
    score = stepped(cleaned(StepForm(request.POST)))
    return services.update_score(actor(request), match_id, score, expected_version=expected_version(request))


@_posted("score", "Score saved.")
def score(request: HttpRequest, match_id: int) -> Done:
    new = score_of(cleaned(ScoreForm(request.POST)))
    return services.update_score(actor(request), match_id, new, expected_version=expected_version(request))


@_posted("score", "The match is over.")
def finish(request: HttpRequest, match_id: int) -> Done:
    """End the match with the score that was typed; without one, with the score as it stands or was reported."""
    new = score_of(cleaned(ScoreForm(request.POST))) if "home_score" in request.POST else None
    return services.finish(actor(request), match_id, new, expected_version=expected_version(request))


@_posted("report", "Your report was sent. Your opponent confirms it.")
def report(request: HttpRequest, match_id: int) -> Done:
    new = score_of(cleaned(ScoreForm(request.POST)))
    return services.report(actor(request), match_id, new, expected_version=expected_version(request))


@_posted("confirm", "Result confirmed.")
def confirm(request: HttpRequest, match_id: int) -> Done:
    return services.confirm(actor(request), match_id, expected_version=expected_version(request))


@_posted("walkover", "The walkover was awarded.")
def walkover(request: HttpRequest, match_id: int) -> Done:
    absent = Side(cleaned(SideForm(request.POST))["side"])
    version = expected_version(request)
    return services.award_walkover(actor(request), match_id, winner=absent.other, expected_version=version)


@_posted("forfeit", "The forfeit was recorded.")
def forfeit(request: HttpRequest, match_id: int) -> Done:
    loser = Side(cleaned(SideForm(request.POST))["side"])
    return services.forfeit(actor(request), match_id, loser=loser, expected_version=expected_version(request))
