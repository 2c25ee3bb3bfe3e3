"""Every component in every state, on one page, for whoever changes the style sheets. Only with DEBUG."""

import random
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from apps.web.pages import Failure, page, show
from apps.web.present.bracket import drawing
from apps.web.present.desk import Slot, results_of, standing_of
from apps.web.present.league import league_tables
from apps.web.present.mine import my_match
from apps.web.present.shown import MatchShown, match_shown
from apps.web.present.veto import VetoShown, veto_shown
from engine.bracket import PlannedMatch, Side
from engine.double_elimination import double_elimination
from engine.elimination import single_elimination
from engine.projection import State, empty
from engine.round_robin import round_robin
from engine.stages import StageSettings
from engine.veto import begin, move
from engine.veto_script import Script, VetoSettings

_IN_A_BRACKET = ("ready", "live", "pending_result", "completed")
_ALL = (*_IN_A_BRACKET, "check_in", "disputed", "forfeit", "cancelled")
_SCORED = ("live", "pending_result", "completed")


@page
def styleguide(request: HttpRequest, *, failure: Failure | None = None) -> HttpResponse:
    if not settings.DEBUG:
        raise Http404
    states = sample(single_elimination(16), _ALL)
    cards = [match_shown(states, row) for row in list(states["matches"].values())[: len(_ALL) + 1]]
    brackets = [
        single_elimination(5, third_place=True),
        single_elimination(16, third_place=True),
        double_elimination(6),
    ]
    league = sample(round_robin(4), ("completed",))
    context: dict[str, Any] = {
        "cards": cards,
        "drawings": [drawing(sample(plans, _IN_A_BRACKET)) for plans in brackets],
        "table": league_tables(league, league["stages"]["1"])[0],
        "vetoes": _vetoes(states),
        "reports": [(match, my_match(states, match, "home")) for match in _to_report(states)],
        "slots": [Slot(timezone.now().isoformat(), "Table 4", called) for called in (False, True)],
        "results": results_of(league, 1),
        "standing": standing_of(league, 1, results_of(league, 1), whole=[1]),
        "t": {"accent": "#2f6fed"},
    }
    return show(request, "web/styleguide.html", context, failure=failure)


def sample(plans: Sequence[PlannedMatch], kinds: Sequence[str]) -> State:
    """Return a made-up stage; the matches whose entrants are known take turns in being of these kinds."""
    entrants = max(seed or 0 for plan in plans for seed in (plan.home_seed, plan.away_seed))
    rng = random.Random(entrants)  # noqa: S311 - a picture, not a secret
    state = empty()
    state["tournament"] = {"capacity": 16, "champion": None}
    options = msgspec.to_builtins(StageSettings(tie_breaks=["points", "score_difference", "scored"]))
    state["stages"]["1"] = {**options, "id": 1, "number": 1, "name": "", "format": "round_robin", "state": "live"}
    for n in range(1, entrants + 1):
        entry = {"id": n, "name": _name(n), "seed": n, "status": "confirmed", "checked_in": False}
        state["entries"][str(n)] = entry
        place = {"id": n, "stage": 1, "entry": n, "seed": n, "group": 0, "lot": n, "byes": [], "annulled": False}
        state["stage_entries"][str(n)] = place
    for number, plan in enumerate(plans):
        known = plan.home_seed is not None and plan.away_seed is not None
        kind = kinds[number % len(kinds)] if known else "scheduled"
        home, away = (rng.randrange(4), rng.randrange(4)) if kind in _SCORED else (0, 0)
        level = kind == "completed" and home == away
        over = kind in ("completed", "forfeit")
        state["matches"][str(plan.number)] = {
            "id": plan.number, "stage": 1, "number": plan.number, "bracket": plan.bracket.value,
            "round": plan.round, "position": plan.position, "group": 0, "best_of": 1, "state": kind,
            "home": plan.home_seed, "away": plan.away_seed, "home_closed": False, "away_closed": False,
            "home_score": home, "away_score": away, "games": [],
            "home_shootout": 4 if level else None, "away_shootout": 2 if level else None,
            "home_checked_in": kind == "check_in", "away_checked_in": False,
            "reported_by": "home" if kind in ("pending_result", "disputed") else None, "report": None,
            "winner": (plan.home_seed if home >= away else plan.away_seed) if over else None,
            "reason": {"completed": "played", "forfeit": "no_show"}.get(kind),
            "winner_to": plan.winner_to and plan.winner_to.match,
            "winner_to_side": plan.winner_to and Side(plan.winner_to.side).value,
            "loser_to": plan.loser_to and plan.loser_to.match,
            "loser_to_side": plan.loser_to and Side(plan.loser_to.side).value,
            "version": 1, "deadline_at": None, "started_at": None, "completed_at": None,
        }  # fmt: skip
    return state


def _to_report(state: State) -> list[MatchShown]:
    """Return a match of one game, and one of three, that can be reported."""
    row = next(row for row in state["matches"].values() if row["state"] == "ready")
    return [match_shown(state, {**row, "best_of": best_of}) for best_of in (1, 3)]


def _vetoes(state: State) -> list[VetoShown | None]:
    """Return a veto before it begins, at every turn, and at its end."""
    rules = VetoSettings(pool=["Ascent", "Bind", "Haven", "Icebox"])
    script = Script.parse("1 ban, 2 pick, 1 side, 2 ban, decider")
    now, seed = timezone.now(), "seed"
    state["stages"] = {"1": {"veto": asdict(rules)}}
    row = {"stage": 1, "state": "ready", "best_of": 3, "veto": None, "veto_deadline_at": None}
    shown = [veto_shown(state, row, side="home", is_referee=False, now=now)]
    sides = tuple(rules.sides)
    veto = begin(script, home=1, away=2, pool=tuple(rules.pool), sides=sides, seed=seed, better_seed=Side.HOME)
    while True:
        row["veto"] = msgspec.to_builtins(veto)
        row["veto_deadline_at"] = (now + timedelta(seconds=30)).isoformat() if veto.turn else None
        side = "away" if len(shown) % 2 else None
        shown.append(veto_shown(state, row, side=side, is_referee=side is None, now=now))
        if veto.turn is None:
            return shown
        veto = move(veto, veto.turn.options[0], seed)


_LONG = {2: "A name that is far too long for the place it has"}


def _name(n: int) -> str:
    return _LONG.get(n, f"Entrant {n}")
