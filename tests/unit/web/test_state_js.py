"""The browser's reducer and its words are those of the server, for any events."""

import copy
from dataclasses import asdict
from random import Random
from typing import Any

import pytest
from django.utils import translation

from apps.web.catalogue import script_words
from apps.web.present.meeting import sends, winner_meets
from apps.web.present.shown import counts, feeders, match_shown
from engine.double_elimination import double_elimination
from engine.elimination import single_elimination
from engine.match_flow import MatchState, Reason
from engine.projection import COLLECTIONS, fold
from engine.round_robin import round_robin
from tests.unit.web.node import ask

STATES = tuple(MatchState)
NAMES = ("Ada", "<script>alert(1)</script>", "</script>", "Ünïcødé 🏓", "a" * 60, '"quoted" & co', "علی")


def random_events(rng: Random) -> list[dict[str, Any]]:
    """Return events as wild as the fold allows: partial rows, unknown ids, removals, the same thing twice."""
    events: list[dict[str, Any]] = []
    for _ in range(rng.randrange(1, 30)):
        data: dict[str, Any] = {}
        if rng.random() < 0.3:
            data["tournament"] = {"name": rng.choice(NAMES), "champion": rng.choice([None, 3]), "capacity": 8}
        for key in ("stage", "entry", "match", "member"):
            if rng.random() < 0.3:
                data[key] = {"id": rng.randrange(1, 9), rng.choice("abc"): rng.choice([None, 0, "x", True, 2**53])}
        for name in COLLECTIONS:
            if rng.random() < 0.2:
                data[name] = [{"id": rng.randrange(1, 9), "n": rng.random()} for _ in range(rng.randrange(4))]
        if rng.random() < 0.2:
            data["removed"] = {rng.choice(COLLECTIONS): [rng.randrange(1, 9), 99]}
        events.append(data)
        if rng.random() < 0.1:
            events.append(copy.deepcopy(data))
    return events


def bracket_events(rng: Random) -> list[dict[str, Any]]:
    """Return the events of a bracket in which every match is in some state, whether or not that could happen."""
    entrants = rng.randrange(2, 20)
    entries = [
        {
            "id": n,
            "name": rng.choice(NAMES) + str(n),
            "status": rng.choice(["confirmed", "confirmed", "waitlisted", "withdrawn", "no_show"]),
            "seed": rng.choice([n, None]),
            "checked_in": rng.random() < 0.5,
        }
        for n in range(1, entrants + 1)
    ]
    plans = rng.choice(
        [
            single_elimination(entrants, third_place=rng.random() < 0.5),
            double_elimination(entrants),
            round_robin(entrants),
        ]
    )
    stage = {"id": 1, "format": rng.choice(["single_elimination", "double_elimination", "round_robin", "swiss"])}
    matches = []
    for plan in plans:
        match = {
            "id": 100 + plan.number,
            "stage": 1,
            "number": plan.number,
            "bracket": plan.bracket.value,
            "round": plan.round,
            "position": plan.position,
            "group": plan.group,
            "home": plan.home_seed,
            "away": plan.away_seed,
            "winner_to": plan.winner_to and plan.winner_to.match,
            "winner_to_side": plan.winner_to and plan.winner_to.side.value,
            "loser_to": plan.loser_to and plan.loser_to.match,
            "loser_to_side": plan.loser_to and plan.loser_to.side.value,
            "deadline_at": rng.choice([None, "2026-11-22T18:00:00.000Z"]),
            "started_at": None,
            "completed_at": None,
        }
        matches.append(match | play(rng, match))
    return [{"tournament": {"capacity": 16}, "stage": stage}, {"entries": entries}, {"matches": matches}]


def play(rng: Random, match: dict[str, Any]) -> dict[str, Any]:
    def shootout() -> int | None:
        return rng.choice([None, rng.randrange(9)])

    best_of = rng.choice([1, 1, 2, 3, 5])
    points = {
        "home_score": rng.randrange(4),
        "away_score": rng.randrange(4),
        "home_shootout": shootout(),
        "away_shootout": shootout(),
        "games": [{"home": rng.randrange(14), "away": 13} for _ in range(rng.randrange(best_of + 1) * (best_of > 1))],
    }
    return points | {
        "state": rng.choice(STATES),
        "best_of": best_of,
        "version": rng.randrange(1, 9),
        "home_closed": rng.random() < 0.2,
        "away_closed": rng.random() < 0.2,
        "home_checked_in": rng.random() < 0.5,
        "away_checked_in": rng.random() < 0.5,
        "reported_by": rng.choice([None, "home", "away"]),
        "report": rng.choice([None, {**points, "home_score": 7}]),
        "winner": rng.choice([None, match["home"], match["away"]]),
        "reason": rng.choice([None, *Reason]),
    }


def test_folding_random_events_gives_the_state_that_python_gives():
    cases = [{"events": random_events(Random(n))} for n in range(200)]
    for case, answer in zip(cases, ask("fold.mjs", cases), strict=True):
        assert answer["state"] == fold(case["events"])


def test_folding_goes_on_from_a_snapshot():
    events = [random_events(Random(n)) for n in range(100)]
    cases = [{"start": fold(one[: len(one) // 2]), "events": one[len(one) // 2 :]} for one in events]
    for one, answer in zip(events, ask("fold.mjs", copy.deepcopy(cases)), strict=True):
        assert answer["state"] == fold(one)


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_a_page_shows_is_the_same_in_the_browser(language):
    cases = [{"events": bracket_events(Random(n)), "words": script_words(language)} for n in range(150)]
    with translation.override(language):
        answers = ask("fold.mjs", cases)
        for case, answer in zip(cases, answers, strict=True):
            check(case, answer)


def check(case, answer):
    state = fold(case["events"])
    known = feeders(state)
    assert answer["matches"] == {key: asdict(match_shown(state, row, known)) for key, row in state["matches"].items()}
    sent = sends(state)
    assert answer["meets"] == {key: winner_meets(state, row, sent) for key, row in state["matches"].items()}
    assert answer["counts"] == asdict(counts(state))
