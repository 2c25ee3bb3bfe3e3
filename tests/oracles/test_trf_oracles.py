"""
Our tournament report files against two other implementations of the format.

caissify-pairings generates tournaments, checks their pairings, and reads; gacrux, the reference of FIDE's technical
commission, reads and adds up the points by the scoring in the file.
"""

import subprocess
import sysconfig
from pathlib import Path

import pytest
from caissify_pairings.trf import parse_trf
from gacrux.trf2json import trf2json
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.tournaments.exchange.trf import read_trf, write_trf
from apps.tournaments.exchange.trf_results import League, league_of, tournament_of
from engine.results import Points
from tests.unit.exchange.trf_files import leagues

SCORINGS = [Points(1, 0.5, 0, 1), Points(3, 1, 0, 3), Points(3, 1, 0, 1), Points(2, 1, 0, 2)]
SCRIPTS = Path(sysconfig.get_path("scripts"))


def caissify(*arguments):
    name, *rest = arguments
    return subprocess.run([SCRIPTS / name, *map(str, rest)], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """Finished Swiss tournaments with byes."""
    folder = tmp_path_factory.mktemp("rtg")
    caissify("caissify-pairings-rtg", "-n", 8, "-p", 11, "-r", 5, "--seed", 3, "-o", folder)
    return sorted(folder.glob("*.trf"))


class TestFilesOfOthers:
    def test_generated_tournaments_are_read_with_all_they_say(self, generated):
        for path in generated:
            theirs, ours = parse_trf(path.read_text()), read_trf(path.read_bytes())
            assert (ours.name, ours.rounds) == (theirs["tournament"]["name"], theirs["tournament"]["total_rounds"])
            assert [as_caissify(player) for player in ours.players] == [
                (p["starting_number"], p["name"], p["rating"], p["score"], p["results"]) for p in theirs["players"]
            ]

    def test_their_checker_finds_the_same_pairings_in_what_we_write_of_them(self, generated, tmp_path):
        for path in generated:
            again = tmp_path / path.name
            league = league_of(read_trf(path.read_bytes()))
            again.write_bytes(write_trf(tournament_of(league, name="Again", kind="Individual: Swiss-System")))
            assert "5/5 rounds match" in caissify("caissify-pairings-check", again)
            assert league.scoring == SCORINGS[0]


class TestOurFiles:
    @settings(max_examples=60)
    @given(leagues(), st.sampled_from(SCORINGS))
    def test_caissify_reads_the_same(self, given_league, scoring):
        tournament = report(given_league, scoring)
        theirs = parse_trf(write_trf(tournament).decode())
        assert [as_caissify(player) for player in tournament.players] == [
            (p["starting_number"], p["name"], p["rating"], p["score"], p["results"]) for p in theirs["players"]
        ]

    @settings(max_examples=60)
    @given(leagues(), st.sampled_from(SCORINGS))
    def test_gacrux_reads_the_same_and_agrees_with_our_points(self, given_league, scoring):
        tournament = report(given_league, scoring)
        reader = trf2json()
        reader.parse_file(write_trf(tournament).decode(), verbose=False)
        assert reader.get_status() == 0, reader.chessjson["status"]
        theirs = reader.get_tournament(1)
        names = {profile["id"]: profile["fideName"] for profile in reader.chessjson["event"]["profiles"]}
        assert {c["cid"]: (names[c["profileId"]], float(c["gamePoints"])) for c in theirs["competitors"]} == {
            player.number: (player.name, player.points) for player in tournament.players
        }
        games = {
            (game["round"], *(game[side][key] for key in ("cid", "result") for side in ("white", "black")))
            for game in theirs["gameList"]
            if game["black"]
        }
        assert games == {as_gacrux(result) for result in given_league[2] if result.away is not None}


def report(given_league, scoring):
    names, ratings, results, byes = given_league
    league = League(names=names, ratings=ratings, results=results, byes=byes, scoring=scoring, rounds=9)
    return tournament_of(league, name="Cup", kind="Individual: Swiss-System")


def as_caissify(player):
    """What its reader makes of a line: rounds by number, without the colour of a bye."""
    results = {
        number: {"opponent": r.opponent, "color": r.colour if r.opponent else None, "result": r.result}
        for number, r in enumerate(player.rounds, 1)
    }
    return player.number, player.name, player.rating, player.points, results


def as_gacrux(result):
    lost = "Z" if result.forfeit else "L"
    if result.winner is None:
        both = "Z" if result.forfeit else "D"
        return result.round, result.home, result.away, both, both
    pair = ("W", lost) if result.winner == result.home else (lost, "W")
    return result.round, result.home, result.away, *pair
