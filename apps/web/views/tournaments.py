"""A tournament's pages: overview, bracket, matches, entrants, activity."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apps.eventlog.log import PUBLIC
from apps.tournaments import permissions
from apps.tournaments.models import Entry, Participation, Role, Team, TeamMember, Tournament
from apps.tournaments.permissions import Person
from apps.tournaments.selectors import lists
from apps.tournaments.selectors import pages as selectors
from apps.tournaments.selectors import teams as team_selectors
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.web.pages import Failure, Live, page, show
from apps.web.present import activity as story
from apps.web.present.bracket import drawing, match_name, rounds_of
from apps.web.present.entrants import listed
from apps.web.present.mine import Mine, mine, my_match
from apps.web.present.shown import MatchShown, counts, entrant_name, feeders, match_shown

ACTIVITY_ON_OVERVIEW = 8
ACTIVITY_ON_PAGE = 60
MAX_SEQ_DIGITS = 15
MAX_TEAMS = 10  # that one person can choose from


@dataclass(frozen=True, slots=True)
class Visit:
    """A tournament as one person sees it."""

    tournament: Tournament
    role: Role
    entry: Entry | None
    live: Live
    context: dict[str, Any]


def visit(request: HttpRequest, tournament_id: int, *, tab: str, audience: str = PUBLIC) -> Visit:
    """
    Read what all pages of a tournament show. Up to nine queries: the tournament, the role, the entry, the snapshot.

    Raises:
        NotFound: no such tournament, or a draft of somebody else's.
    """
    tournament, role = lists.tournament_for(request.user, tournament_id)
    entry = selectors.own_entry(request.user, tournament)
    entry_id, acts = (entry.pk, True) if entry else (team_selectors.entry_played_in(request.user, tournament), False)
    snapshot = tournament_snapshot(tournament_id, audience=audience)
    state = snapshot.data
    live = Live(f"tournament:{tournament_id}", snapshot.position, state, () if entry_id is None else (entry_id,))
    my = mine(
        state, signed_in=request.user.is_authenticated, entry_id=entry_id, now=timezone.now(), acts=acts or not entry_id
    )
    sources = feeders(state)
    context: dict[str, Any] = {
        "t": state["tournament"],
        "tab": tab,
        "counts": counts(state),
        "organizer": tournament.created_by.username,
        "may_manage": permissions.is_staff(role),
        "is_organizer": role >= Role.ORGANIZER,
        "my": my,
        "my_teams": _teams_to_enter(request.user, tournament, my),
        "my_match": my_match(my.match, my.side) if my.match else None,
        "champion": entrant_name(state, state["tournament"]["champion"]),
        "runner_up": entrant_name(state, state["tournament"]["runner_up"]),
        "third": entrant_name(state, state["tournament"]["third_place"]),
        "all_matches": [match_shown(state, row, sources) for row in state["matches"].values()],
        "rounds": rounds_of(state),
    }
    return Visit(tournament, role, entry, live, context)


def _teams_to_enter(person: Person, tournament: Tournament, my: Mine) -> list[tuple[Team, list[TeamMember]]]:
    """Return the teams that a person can register, with their people. One query, and one for each of the teams."""
    if my.step != "register" or tournament.participation != Participation.TEAM:
        return []
    return [(team, team_selectors.people_of(team)) for team in team_selectors.captained_by(person)[:MAX_TEAMS]]


def _tab(request: HttpRequest, name: str, seen: Visit, failure: Failure | None) -> HttpResponse:
    regions = {
        "head": "web/tournament/_head.html",
        "mine": "web/tournament/_mine.html",
        "tabs": "web/tournament/_tabs.html",
        name: f"web/tournament/_{name}.html",
    }
    template = f"web/tournament/{name}.html"
    return show(request, template, seen.context, regions=regions, live=seen.live, failure=failure)


@page
def overview(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show what is going on: the matches in play, those that come next, the last results."""
    seen = visit(request, tournament_id, tab="tournament")
    matches: list[MatchShown] = seen.context["all_matches"]
    done = sorted((m for m in matches if m.state == "completed"), key=lambda m: m.completed_at or "", reverse=True)
    seen.context.update(
        {
            "now_playing": [m for m in matches if m.state in ("live", "pending_result")],
            "next_up": [m for m in matches if m.state == "ready"][:6],
            "latest": done[:6],
            "lines": _story(seen, ACTIVITY_ON_OVERVIEW),
        }
    )
    return _tab(request, "overview", seen, failure)


@page
def bracket(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show the bracket; with `?view=tv` alone and large, for a hall."""
    seen = visit(request, tournament_id, tab="bracket")
    tv = request.GET.get("view") == "tv"
    seen.context.update({"drawing": drawing(seen.live.state, tv=tv), "tv": tv})
    return _tab(request, "bracket", seen, failure)


@page
def matches(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """List all matches, round by round."""
    seen = visit(request, tournament_id, tab="matches")
    rounds: int = seen.context["rounds"]
    by_round: dict[str, list[MatchShown]] = {}
    for match in seen.context["all_matches"]:
        by_round.setdefault(match_name(match, rounds), []).append(match)
    seen.context["by_round"] = list(by_round.items())
    return _tab(request, "matches", seen, failure)


@page
def entrants(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """List the entrants by seed, then the waitlist, then who left."""
    seen = visit(request, tournament_id, tab="entrants")
    seen.context.update(listed(seen.live.state))
    return _tab(request, "entrants", seen, failure)


@page
def activity(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Tell what happened, newest first."""
    seen = visit(request, tournament_id, tab="activity")
    before = request.GET.get("before", "")
    page_before = int(before) if before.isascii() and before.isdigit() and len(before) <= MAX_SEQ_DIGITS else None
    lines = _story(seen, ACTIVITY_ON_PAGE + 1, before=page_before)
    seen.context.update(
        {
            "lines": lines[:ACTIVITY_ON_PAGE],
            "older": lines[ACTIVITY_ON_PAGE - 1].seq if len(lines) > ACTIVITY_ON_PAGE else None,
            "paged": page_before is not None,
        }
    )
    return _tab(request, "activity", seen, failure)


def _story(seen: Visit, limit: int, *, before: int | None = None) -> list[story.Line]:
    audience = permissions.audience_of(seen.role)
    events = list(
        lists.activity(seen.tournament, audience=audience, before=before).exclude(type__in=story.QUIET)[:limit]
    )
    names = selectors.actor_names(events) if permissions.is_staff(seen.role) else {}
    return story.tournament_lines(events, seen.live.state, names)
