"""A tournament's pages: overview, bracket, matches, entrants, activity."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from apps.eventlog.log import PUBLIC
from apps.tournaments import permissions
from apps.tournaments.models import Participation, Role, Team, TeamMember, Tournament
from apps.tournaments.permissions import Person
from apps.tournaments.selectors import lists
from apps.tournaments.selectors import pages as selectors
from apps.tournaments.selectors import teams as team_selectors
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.web.pages import Failure, Live, page, show
from apps.web.present import activity as story
from apps.web.present import stages
from apps.web.present.bracket import drawing
from apps.web.present.entrants import listed
from apps.web.present.league import league_rounds, league_tables
from apps.web.present.mine import Mine, mine, my_match
from apps.web.present.names import Names, names_of
from apps.web.present.shown import MatchShown, counts, entrant_name, feeders, match_shown
from engine.match_flow import BEGUN
from engine.projection import State
from engine.stages import Format

ACTIVITY_ON_OVERVIEW = 8
ACTIVITY_ON_PAGE = 60
MAX_SEQ_DIGITS = 15
MAX_TEAMS = 10  # that one person can choose from


@dataclass(frozen=True, slots=True)
class Visit:
    """A tournament as one person sees it."""

    tournament: Tournament
    role: Role
    live: Live
    names: Names
    context: dict[str, Any]


def visit(request: HttpRequest, tournament_id: int, *, tab: str, audience: str = PUBLIC) -> Visit:
    """
    Read what all pages of a tournament show. Up to nine queries: the tournament, the role, the snapshot.

    Raises:
        NotFound: no such tournament, or a draft of somebody else's.
    """
    tournament, role, entry = selectors.visited(request.user, tournament_id)
    acts = entry is not None
    if entry is None:
        entry = team_selectors.entry_played_in(request.user, tournament)
    snapshot = tournament_snapshot(tournament_id, audience=audience)
    state = snapshot.data
    live = Live(f"tournament:{tournament_id}", snapshot.position, state, () if entry is None else (entry,))
    signed_in = request.user.is_authenticated
    my = mine(state, signed_in=signed_in, entry_id=entry, now=timezone.now(), acts=acts or entry is None)
    names = names_of(state)
    context = tournament_context(state, names, tournament, role)
    context |= {
        "tab": tab,
        "my": my,
        "my_teams": _teams_to_enter(request.user, tournament, my),
        "my_match": my_match(state, my.match, my.side) if my.match else None,
    }
    return Visit(tournament, role, live, names, context)


def tournament_context(state: State, names: Names, tournament: Tournament, role: Role) -> dict[str, Any]:
    """Return what the head and the tabs of a tournament show, and all its matches; of a state of any moment."""
    sources = feeders(state)
    return {
        "t": state["tournament"],
        "counts": counts(state),
        "organizer": tournament.created_by.username if tournament.created_by else "",
        "may_manage": permissions.is_staff(role),
        "is_organizer": role >= Role.ORGANIZER,
        "champion": entrant_name(state, state["tournament"]["champion"]),
        "runner_up": entrant_name(state, state["tournament"]["runner_up"]),
        "third": entrant_name(state, state["tournament"]["third_place"]),
        "all_matches": [match_shown(state, row, sources) for row in state["matches"].values()],
        "stages": stages.switch(state, names),
        "stages_tab": stages.tab_name(state),
        "is_planned": bool(state["stations"]) or any(row["scheduled_at"] for row in state["matches"].values()),
    }


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
        "stages": "web/tournament/_stages.html",
        "standings": "web/tournament/_standings.html",
        name: f"web/tournament/_{name}.html",
    }
    template = f"web/tournament/{name}.html"
    return show(request, template, seen.context, regions=regions, live=seen.live, failure=failure)


@page
def overview(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show what is going on: the matches in play, those that come next, the last results."""
    seen = visit(request, tournament_id, tab="tournament")
    matches: list[MatchShown] = seen.context["all_matches"]
    done = sorted((m for m in matches if m.over and m.completed_at), key=lambda m: m.completed_at or "", reverse=True)
    seen.context.update(
        {
            "now_playing": [m for m in matches if m.state in BEGUN],
            "next_up": [m for m in matches if m.state in ("check_in", "ready")][:6],
            "latest": done[:6],
            "how_played": [
                (stage, stages.how_played(seen.live.state["stages"][str(stage.id)])) for stage in seen.context["stages"]
            ],
            "lines": _story(seen, ACTIVITY_ON_OVERVIEW)[0],
        }
    )
    return _tab(request, "overview", seen, failure)


@page
def bracket(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show a stage, `?stage=` its number: a bracket, or tables and rounds. With `?view=tv` large, for a hall."""
    seen = visit(request, tournament_id, tab="bracket")
    tv = request.GET.get("view") == "tv"
    seen.context.update({"tv": tv, **stage_shown(seen.live.state, request.GET.get("stage", ""), tv=tv)})
    return _tab(request, "bracket", seen, failure)


def stage_shown(state: State, wanted: str, *, tv: bool = False) -> dict[str, Any]:
    """Return what the page of a stage shows of a state. `wanted`: its number, else the stage that is on now."""
    stage = stages.looked_at(state, wanted)
    if stage is None:
        return {}
    following = stages.following(state, stage)
    own = stages.within(state, stage)
    shown: dict[str, Any] = {"stage": stage, "following": following}
    if Format(stage["format"]).is_league:
        if own["stage_entries"]:
            shown["tables"] = league_tables(own, stage, next_stage=following)
            shown["league_rounds"] = league_rounds(own, stage)
    else:
        shown["drawing"] = drawing(own, tv=tv)
    return shown


@page
def matches(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """List all matches, round by round."""
    seen = visit(request, tournament_id, tab="matches")
    by_round: dict[str, list[MatchShown]] = {}
    for match in seen.context["all_matches"]:
        by_round.setdefault(seen.names.place(match), []).append(match)
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
    lines, older = _story(seen, ACTIVITY_ON_PAGE, before=page_before)
    seen.context.update(
        {
            "lines": lines,
            "older": older,
            "paged": page_before is not None,
            "quiet": " ".join(story.QUIET),
        }
    )
    return _tab(request, "activity", seen, failure)


def _story(seen: Visit, limit: int, *, before: int | None = None) -> tuple[list[story.Line], int | None]:
    """Return what happened, and the seq before which there is more."""
    audience = permissions.audience_of(seen.role)
    found = lists.activity(seen.tournament, audience=audience, before=before).exclude(type__in=story.QUIET)
    events = list(found[: limit + 1])
    names = selectors.actor_names(events) if permissions.is_staff(seen.role) else {}
    older = events[limit - 1].seq if len(events) > limit else None
    return story.tournament_lines(events[:limit], seen.live.state, names), older
