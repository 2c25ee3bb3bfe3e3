"""What a page says of a match in each of its states. test_state_js.py holds the browser to the same."""

import pytest

from apps.web.present.shown import match_shown
from engine.projection import empty

ADA, BOB = 1, 2
REPORT = {"home_score": 2, "away_score": 1, "home_shootout": None, "away_shootout": None, "games": []}


def shown(*, league=False, **row):
    """A match of Ada and Bob at 2:1, with what `row` changes."""
    state = empty()
    state["entries"] = {str(n): {"id": n, "name": name, "seed": n} for n, name in ((ADA, "Ada"), (BOB, "Bob"))}
    state["stages"]["1"] = {"id": 1, "format": "swiss" if league else "double_elimination"}
    match = {
        "id": 5, "stage": 1, "number": 5, "bracket": "main", "round": 1, "position": 1, "group": 0, "best_of": 1,
        "home": ADA, "away": BOB, "home_closed": False, "away_closed": False, **REPORT,
        "home_checked_in": False, "away_checked_in": False, "reported_by": None, "report": None,
        "winner": None, "reason": None, "winner_to": None, "winner_to_side": None, "loser_to": None,
        "loser_to_side": None, "version": 1, "deadline_at": None, "started_at": None, "completed_at": None,
    }  # fmt: skip
    return match_shown(state, match | row)


def seen(**row):
    match = shown(**row)
    return match.label, (match.home.score, match.away.score), (match.home.outcome, match.away.outcome), match.over


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"state": "scheduled"}, ("Upcoming", ("", ""), ("", ""), False)),
        ({"state": "check_in"}, ("Check-in", ("", ""), ("", ""), False)),
        ({"state": "ready"}, ("Ready", ("", ""), ("", ""), False)),
        ({"state": "live"}, ("Live", ("2", "1"), ("", ""), False)),
        ({"state": "pending_result", "report": REPORT}, ("To confirm", ("2", "1"), ("", ""), False)),
        ({"state": "disputed", "report": REPORT}, ("Disputed", ("?", "?"), ("", ""), False)),
        ({"state": "disputed"}, ("Disputed", ("2", "1"), ("", ""), False)),
        ({"state": "completed", "winner": ADA, "reason": "played"}, ("Finished", ("2", "1"), ("won", "lost"), True)),
        ({"state": "completed", "reason": "played"}, ("Draw", ("2", "1"), ("drew", "drew"), True)),
        ({"state": "forfeit", "winner": BOB, "reason": "walkover"}, ("Walkover", ("", "w/o"), ("lost", "won"), True)),
        ({"state": "forfeit", "winner": ADA, "reason": "no_show"}, ("No-show", ("W", "NS"), ("won", "lost"), True)),
        ({"state": "forfeit", "winner": ADA, "reason": "forfeit"}, ("Forfeit", ("W", "FF"), ("won", "lost"), True)),
        ({"state": "forfeit", "reason": "forfeit"}, ("Double forfeit", ("FF", "FF"), ("lost", "lost"), True)),
        ({"state": "forfeit", "reason": "no_show"}, ("Nobody came", ("NS", "NS"), ("lost", "lost"), True)),
        ({"state": "forfeit", "reason": "walkover"}, ("Not played", ("", ""), ("lost", "lost"), True)),
        ({"state": "cancelled"}, ("Cancelled", ("", ""), ("", ""), True)),
    ],
)
def test_each_state_is_told_apart(row, expected):
    assert seen(**row) == expected


@pytest.mark.parametrize(
    ("state", "label"), [("scheduled", "If needed"), ("ready", "Ready"), ("cancelled", "Not needed")]
)
def test_a_reset_says_whether_it_is_needed(state, label):
    nobody = {} if state == "ready" else {"home": None, "away": None}
    match = shown(bracket="grand_final", round=2, state=state, **nobody)
    assert match.label == label
    assert match.home.name == {"scheduled": None, "ready": "Ada", "cancelled": "–"}[state]


def test_who_is_here_is_told_while_check_in_runs():
    match = shown(state="check_in", home_checked_in=True)
    assert (match.home.here, match.away.here) == ("here", "away")
    assert shown(state="ready", home_checked_in=True).home.here == ""


class TestGames:
    GAMES = ({"home": 13, "away": 7}, {"home": 9, "away": 13})

    def test_stand_in_their_places_with_room_for_those_to_come(self):
        match = shown(state="live", best_of=3, games=self.GAMES)
        assert (match.game, match.games) == (["13–7", "9–13", ""], "13–7, 9–13")

    def test_are_those_that_were_reported_while_the_report_waits(self):
        report = {**REPORT, "games": [{"home": 1, "away": 0}]}
        assert shown(state="pending_result", best_of=3, games=self.GAMES, report=report).games == "1–0"
        assert shown(state="disputed", best_of=3, games=self.GAMES, report=report).games == ""

    def test_a_match_of_one_game_has_none(self):
        assert shown(state="live").game == []


@pytest.mark.parametrize(
    ("row", "leading"),
    [
        ({}, ": Ada wins"),
        ({"home_score": 1}, ""),
        ({"home_score": 1, "home_shootout": 3, "away_shootout": 4}, ": Bob wins"),
        ({"best_of": 3}, ": Ada wins"),
        ({"best_of": 5}, ""),
    ],
)
def test_who_would_win_is_told_when_the_score_can_end_the_match(row, leading):
    assert shown(state="live", **row).leading == leading


def test_a_league_is_known_as_one():
    assert shown(state="ready", league=True).is_league
    assert not shown(state="ready").is_league
