"""Every component in every state, on one page, for whoever changes the style sheets. Only with DEBUG."""

import random
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from apps.web.pages import Failure, page, show
from apps.web.present.bracket import drawing
from apps.web.present.shown import match_shown
from apps.web.present.veto import VetoShown, veto_shown
from engine.bracket import Side
from engine.elimination import single_elimination
from engine.projection import State, empty
from engine.veto import begin, move
from engine.veto_script import Script, VetoSettings

_STATES = ("scheduled", "ready", "live", "pending_result", "completed")


@page
def styleguide(request: HttpRequest, *, failure: Failure | None = None) -> HttpResponse:
    if not settings.DEBUG:
        raise Http404
    states = sample(5)
    cards = [match_shown(states, row) for row in states["matches"].values()]
    context: dict[str, Any] = {
        "cards": cards,
        "vetoes": _vetoes(states),
        "drawings": [drawing(sample(n)) for n in (5, 16)],
        "t": {"accent": "#2f6fed"},
    }
    return show(request, "web/styleguide.html", context, failure=failure)


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


def sample(entrants: int) -> State:
    """Return a made-up bracket with a match in every state."""
    rng = random.Random(entrants)  # noqa: S311 - a picture, not a secret
    state = empty()
    state["tournament"] = {"capacity": 16, "champion": None}
    for n in range(1, entrants + 1):
        entry = {"id": n, "name": _name(n), "seed": n, "status": "confirmed", "checked_in": False}
        state["entries"][str(n)] = entry
    for number, plan in enumerate(single_elimination(entrants, third_place=True)):
        known = plan.home_seed is not None and plan.away_seed is not None
        kind = _STATES[1 + number % 4] if known else "scheduled"
        score = (rng.randrange(4), rng.randrange(4)) if kind in ("live", "completed", "pending_result") else (0, 0)
        level = kind == "completed" and score[0] == score[1]
        state["matches"][str(plan.number)] = {
            "id": plan.number, "stage": 1, "number": plan.number, "bracket": plan.bracket.value,
            "round": plan.round, "position": plan.position, "state": kind,
            "home": plan.home_seed, "away": plan.away_seed, "home_closed": False, "away_closed": False,
            "home_score": score[0], "away_score": score[1],
            "home_shootout": 4 if level else None, "away_shootout": 2 if level else None,
            "reported_by": "home" if kind == "pending_result" else None, "report": None,
            "winner": (plan.home_seed if score[0] >= score[1] else plan.away_seed) if kind == "completed" else None,
            "reason": "played" if kind == "completed" else None,
            "winner_to": plan.winner_to and plan.winner_to.match,
            "winner_to_side": plan.winner_to and Side(plan.winner_to.side).value,
            "loser_to": plan.loser_to and plan.loser_to.match,
            "loser_to_side": plan.loser_to and Side(plan.loser_to.side).value,
            "version": 1, "started_at": None, "completed_at": None,
        }  # fmt: skip
    return state


_LONG = {2: "A name that is far too long for the place it has"}


def _name(n: int) -> str:
    return _LONG.get(n, f"Entrant {n}")
