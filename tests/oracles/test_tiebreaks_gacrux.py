"""
The tie-breaks of FIDE, value by value, against gacrux 1.11.65, whose author wrote FIDE's tie-break server.

No value differs, so there is no special case in which the engine departs from it. The articles that the engine cites
are cited as gacrux does; nobody has compared both with the text of 2026. What may surprise in what they agree on:

* From 2026 on, the dummy of a forfeited match is limited by the adjusted score of the opponent who was drawn (16.4.1),
  and only the dummy of a round without an opponent by a draw per round (16.4.2).
* After a withdrawal only rounds without an opponent turn into draws; a lost forfeit among them stays what it was.
* A round robin is told from a Swiss by a setting, not by its results. Forfeits are played matches in it.

Half-point byes on request are not compared: a Result cannot say that a bye was asked for.
"""

from decimal import Decimal
from random import Random

import pytest
from gacrux.tiebreak import tiebreak

from engine.results import Points, Result
from engine.stages import Format
from engine.standings import standings
from tests.leagues import random_swiss

TOURNAMENTS = 200
ORACLE_NAMES = {
    "points": "PTS",
    "buchholz": "BH",
    "buchholz_cut1": "BH/C1",
    "median_buchholz": "BH/M1",
    "sonneborn_berger": "SB",
    "wins": "WIN",
}
CHESS = Points(win=1, draw=0.5, loss=0, bye=1)
HALF_POINT_BYE = Points(win=1, draw=0.5, loss=0, bye=0.5)
FOOTBALL = Points(win=3, draw=1, loss=0, bye=3)
IN_FORCE = {2024: "2025-06-01", 2026: "2026-06-01"}


def ask_oracle(results, names, *, entrants, rounds, points, rule_year, swiss=True):
    """Return the rank of each entrant, and their values in the order of `names`."""
    games = [game(number, result) for number, result in enumerate(results, start=1)]
    win, draw, loss, bye = (Decimal(str(worth)) for worth in (points.win, points.draw, points.loss, points.bye))
    scores = {"W": win, "D": draw, "L": loss, "F": "W", "H": "D", "Z": Decimal(0), "P": bye, "A": "D", "U": "Z"}
    tournament = {
        "tournamentInfo": {"startDate": IN_FORCE[rule_year]},
        "tournamentType": "",
        "teamTournament": False,
        "numRounds": rounds,
        "currentRound": rounds,
        "scoreSystem": {"game": scores},
        "competitors": [{"cid": cid, "rating": None, "random": cid} for cid in range(1, entrants + 1)],
        "gameList": games,
        "matchList": [],
    }
    asked = {"tiebreak": list(names), "check": False, "swiss": swiss, "pre_determined": not swiss}
    answer = tiebreak(tournament, rounds, asked).compute_tiebreaks(tournament, asked)
    return {c["cid"]: (c["rank"], [float(value) for value in c["tiebreakScore"]]) for c in answer["competitors"]}


def game(number: int, result: Result) -> dict:
    if result.away is None:
        white, black, played = {"cid": result.home, "result": "P"}, {"cid": 0}, True
    else:
        unplayed = "Z" if result.forfeit else "L"
        sides = [
            {"cid": side, "result": "W" if side == result.winner else unplayed} for side in (result.home, result.away)
        ]
        if result.winner is None and not result.forfeit:
            sides = [side | {"result": "D"} for side in sides]
        (white, black), played = sides, not result.forfeit
    return {"id": number, "round": result.round, "white": white, "black": black, "played": played, "rated": False}


def tournaments():
    for seed in range(TOURNAMENTS):
        rng = Random(seed)
        entrants, rounds = rng.randint(5, 20), rng.randint(3, 9)
        yield seed, entrants, rounds, random_swiss(rng, entrants=entrants, rounds=rounds)


@pytest.mark.parametrize("rule_year", [2024, 2026])
@pytest.mark.parametrize("points", [CHESS, HALF_POINT_BYE, FOOTBALL], ids=["chess", "half-point bye", "football"])
def test_every_value_of_a_swiss_equals_the_oracle(points, rule_year):
    for seed, entrants, rounds, results in tournaments():
        expected = ask_oracle(
            results, ORACLE_NAMES.values(), entrants=entrants, rounds=rounds, points=points, rule_year=rule_year
        )
        lines = standings(
            range(1, entrants + 1),
            results,
            format=Format.SWISS,
            rounds=rounds,
            points=points,
            parts=list(ORACLE_NAMES),
            rule_year=rule_year,
        )
        assert {line.entrant: (line.rank, list(line.values.values())) for line in lines} == expected, f"seed {seed}"


def test_head_to_head_of_a_swiss_ranks_as_the_oracle_does():
    for seed, entrants, rounds, results in tournaments():
        expected = ask_oracle(results, ["PTS", "DE"], entrants=entrants, rounds=rounds, points=CHESS, rule_year=2026)
        lines = standings(
            range(1, entrants + 1),
            results,
            format=Format.SWISS,
            rounds=rounds,
            points=CHESS,
            parts=["points", "head_to_head"],
        )
        assert {line.entrant: line.rank for line in lines} == {e: rank for e, (rank, _) in expected.items()}, seed


def test_a_round_robin_counts_forfeits_as_met_and_idle_rounds_as_nothing():
    for seed, entrants, rounds, swiss in tournaments():
        results = [result for result in swiss if result.away is not None]
        names = ["points", "buchholz", "buchholz_cut1", "sonneborn_berger"]
        expected = ask_oracle(
            results,
            [ORACLE_NAMES[name] for name in names] + ["DE"],
            entrants=entrants,
            rounds=rounds,
            points=CHESS,
            rule_year=2026,
            swiss=False,
        )
        lines = standings(
            range(1, entrants + 1),
            results,
            format=Format.ROUND_ROBIN,
            rounds=rounds,
            points=CHESS,
            parts=[*names, "head_to_head"],
        )
        ours = {line.entrant: (line.rank, [line.values[name] for name in names]) for line in lines}
        assert ours == {entrant: (rank, values[:-1]) for entrant, (rank, values) in expected.items()}, f"seed {seed}"
