"""A tournament's pages: overview, bracket, matches, entrants, activity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from apps.eventlog.log import PUBLIC
from apps.tournaments import permissions
from apps.tournaments.models import Participation, Role, Team, TeamMember, Tournament
from apps.tournaments.permissions import Person
from apps.tournaments.selectors import activity as activity_selectors
from apps.tournaments.selectors import lists
from apps.tournaments.selectors import pages as selectors
from apps.tournaments.selectors import teams as team_selectors
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services.unit import CLOCK
from apps.web.pages import Failure, Live, page, show
from apps.web.present import activity as story
from apps.web.present import feed, stages
from apps.web.present.bracket import drawing
from apps.web.present.desk import leagues_in, results_of, slot_of, standing_of
from apps.web.present.entrants import listed
from apps.web.present.league import MATCHES_AT_ONCE, league_rounds, league_tables
from apps.web.present.mine import Mine, mine, my_match
from apps.web.present.names import Names, names_of
from apps.web.present.shown import MatchShown, counts, entrant_name, feeders, match_shown
from apps.words import said
from engine.match_flow import BEGUN
from engine.projection import State
from engine.stages import Format

EVERYTHING = feed.Filter()
ACTIVITY_ON_OVERVIEW = 8
MATCHES_ON_OVERVIEW = 6
ACTIVITY_ON_PAGE = 60
MAX_SEQ_DIGITS = 15
MAX_SOUGHT = 100
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
        **_so_far(state, my),
    }
    return Visit(tournament, role, live, names, context)


def _so_far(state: State, my: Mine) -> dict[str, Any]:
    """Return where an entrant's next match is, and how it has gone for them."""
    if my.entry is None:
        return {}
    results = results_of(state, my.entry)
    return {
        "slot": slot_of(state, my.match.id) if my.match else None,
        "results": results,
        "standing": standing_of(state, my.entry, results, whole=leagues_in(state)),
    }


def tournament_context(state: State, names: Names, tournament: Tournament, role: Role) -> dict[str, Any]:
    """Return what the head and the tabs of a tournament show, and all its matches; of a state of any moment."""
    sources, rows = feeders(state), state["matches"].values()
    return {
        "t": state["tournament"],
        "counts": counts(state),
        "organizer": tournament.created_by.username if tournament.created_by else "",
        "may_manage": permissions.is_staff(role),
        "is_organizer": role >= Role.ORGANIZER,
        "champion": entrant_name(state, state["tournament"]["champion"]),
        "runner_up": entrant_name(state, state["tournament"]["runner_up"]),
        "third": entrant_name(state, state["tournament"]["third_place"]),
        "all_matches": SimpleLazyObject(lambda: [match_shown(state, row, sources) for row in rows]),
        "stages": stages.switch(state, names),
        "stages_tab": stages.tab_name(state),
        "is_planned": bool(state["stations"]) or any(row["scheduled_at"] for row in state["matches"].values()),
    }


def _teams_to_enter(person: Person, tournament: Tournament, my: Mine) -> list[tuple[Team, list[TeamMember]]]:
    """Return the teams that a person can register, with their people. One query, and one for each of the teams."""
    if my.step != "register" or tournament.participation != Participation.TEAM:
        return []
    return [(team, team_selectors.people_of(team)) for team in team_selectors.captained_by(person)[:MAX_TEAMS]]


def _tab(
    request: HttpRequest,
    name: str,
    seen: Visit,
    failure: Failure | None,
    *,
    matches: Iterable[MatchShown] = (),
) -> HttpResponse:
    """Render a tab. `matches`: those on it, besides the one of the person looking."""
    my = seen.context["my"].match
    regions = {
        "head": "web/tournament/_head.html",
        "mine": "web/tournament/_mine.html",
        "tabs": "web/tournament/_tabs.html",
        "stages": "web/tournament/_stages.html",
        "standings": "web/tournament/_standings.html",
        name: f"web/tournament/_{name}.html",
    }
    template = f"web/tournament/{name}.html"
    shown = frozenset(match.id for match in (*matches, *([my] if my else ())))
    live = replace(seen.live, shown=shown)
    return show(request, template, seen.context, regions=regions, live=live, failure=failure)


@page
def overview(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show what is going on: the matches in play with those that come next, the last results."""
    seen = visit(request, tournament_id, tab="tournament")
    matches: list[MatchShown] = seen.context["all_matches"]
    done = sorted((m for m in matches if m.over and m.completed_at), key=lambda m: m.completed_at or "", reverse=True)
    waits = ("check_in", "ready", "scheduled")
    soon = [m for m in matches if m.state in BEGUN] + sorted(
        (m for m in matches if m.state in waits), key=lambda m: m.state == "scheduled"
    )
    seen.context.update(
        {
            # As many as there are places, so that what stands below stays where it is while matches begin and end.
            "now_and_next": soon[:MATCHES_ON_OVERVIEW],
            "latest": done[:MATCHES_ON_OVERVIEW],
            "how_played": [
                (stage, stages.how_played(seen.live.state["stages"][str(stage.id)])) for stage in seen.context["stages"]
            ],
            "lines": _story(seen, ACTIVITY_ON_OVERVIEW)[0],
        }
    )
    on_page = (match for name in ("now_and_next", "latest") for match in seen.context[name])
    return _tab(request, "overview", seen, failure, matches=on_page)


@page
def bracket(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Show a stage, `?stage=` its number: a bracket, or tables and rounds. With `?view=tv` large, for a hall."""
    seen = visit(request, tournament_id, tab="bracket")
    tv = request.GET.get("view") == "tv"
    shown = stage_shown(seen.live.state, request.GET, tv=tv)
    seen.context.update({"tv": tv, **shown})
    drawn = shown.get("drawing")
    on_page = drawn.matches if drawn else [m for one in shown.get("league_rounds", ()) for m, _group in one.matches]
    return _tab(request, "bracket", seen, failure, matches=on_page)


def stage_shown(state: State, asked: Mapping[str, str], *, tv: bool = False) -> dict[str, Any]:
    """
    Return what the page of a stage shows of a state.

    Args:
        asked: the query. `stage` is a stage's number, else it is the one that is on now; `entrant` is whose path
            through a bracket is lit, `round` the number of the round that a large league shows.
    """
    stage = stages.looked_at(state, asked.get("stage", ""))
    if stage is None:
        return {}
    following = stages.following(state, stage)
    own = stages.within(state, stage)
    shown: dict[str, Any] = {"stage": stage, "following": following}
    if Format(stage["format"]).is_league:
        if own["stage_entries"]:
            shown["tables"] = league_tables(own, stage, next_stage=following)
            shown["league_rounds"] = rounds = league_rounds(own, stage, "" if tv else asked.get("round", ""))
            shown["one_round"] = not tv and not all(one.is_shown for one in rounds)
    else:
        shown["drawing"] = drawing(own, tv=tv)
        if not tv:
            shown |= _followed(own, asked.get("entrant", ""))
    return shown


def _followed(state: State, wanted: str) -> dict[str, Any]:
    """Return whose path through a bracket can be lit, by seed, and whose is."""
    places = sorted(state["stage_entries"].values(), key=lambda row: row["seed"])
    ids = [row["entry"] for row in places]
    return {
        "followed": [(entry, entrant_name(state, entry)) for entry in ids],
        "followed_ids": ids,
        "lit": next((entry for entry in ids if str(entry) == wanted), None),
    }


@page
def matches(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """List all matches by round; of more than MATCHES_AT_ONCE one round alone, `?part=` its place in the list."""
    seen = visit(request, tournament_id, tab="matches")
    found: dict[str, list[MatchShown]] = {}
    for match in seen.context["all_matches"]:
        found.setdefault(seen.names.place(match), []).append(match)
    by_round = list(found.items())
    if len(seen.context["all_matches"]) > MATCHES_AT_ONCE:
        numbers = range(len(by_round))
        present = next((n for n in numbers if not all(match.over for match in by_round[n][1])), numbers[-1])
        part = next((n for n in numbers if str(n + 1) == request.GET.get("part")), present)
        seen.context["parts"] = [(n + 1, by_round[n][0], n == part) for n in numbers]
        by_round = [by_round[part]]
    seen.context["by_round"] = by_round
    return _tab(request, "matches", seen, failure, matches=(match for _name, own in by_round for match in own))


@page
def entrants(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """List the entrants by seed, then the waitlist, then who left; `?q=` leaves those whose names begin so."""
    seen = visit(request, tournament_id, tab="entrants")
    sought = request.GET.get("q", "")[:MAX_SOUGHT]
    seen.context.update({**listed(seen.live.state, sought=sought), "sought": sought})
    return _tab(request, "entrants", seen, failure)


@page
def activity(request: HttpRequest, tournament_id: int, *, failure: Failure | None = None) -> HttpResponse:
    """Tell what happened, newest first."""
    seen = visit(request, tournament_id, tab="activity")
    before = request.GET.get("before", "")
    page_before = int(before) if before.isascii() and before.isdigit() and len(before) <= MAX_SEQ_DIGITS else None
    is_staff = permissions.is_staff(seen.role)
    wanted = feed.filter_in(request.GET, is_staff=is_staff)
    people = activity_selectors.people(seen.tournament) if is_staff else {}
    lines, older = _story(seen, ACTIVITY_ON_PAGE, before=page_before, wanted=wanted, names=people)
    seen.context.update(
        {
            "lines": lines,
            "older": older,
            "paged": page_before is not None,
            "quiet": "" if wanted.is_set else " ".join(story.QUIET),
            "wanted": wanted,
            "kinds": [(kind, said(label)) for kind, label in feed.KIND_LABELS.items() if is_staff or kind != "staff"],
            "people": list(people.items()),
            "clock": CLOCK if is_staff else "",
            "entrant_names": feed.names_in(seen.live.state),
        }
    )
    return _tab(request, "activity", seen, failure)


def _story(
    seen: Visit,
    limit: int,
    *,
    before: int | None = None,
    wanted: feed.Filter = EVERYTHING,
    names: Mapping[str, str] | None = None,
) -> tuple[list[story.Line], int | None]:
    """Return what happened, and the seq before which there is more. `names`: by actor, where they are at hand."""
    audience = permissions.audience_of(seen.role)
    found = feed.filtered(lists.activity(seen.tournament, audience=audience, before=before), wanted, seen.live.state)
    events = list(found[: limit + 1])
    if names is None:
        is_staff = permissions.is_staff(seen.role)
        names = selectors.actor_names(event.actor for event in events) if is_staff else {}
    older = events[limit - 1].seq if len(events) > limit else None
    return story.tournament_lines(events[:limit], seen.live.state, names), older
