"""Tables and rounds of a league, as a page shows them."""

import pytest

from apps.web.present.league import league_rounds, league_tables
from engine.projection import empty

NAMES = {1: "Ada", 2: "Bob", 3: "Cem", 4: "Dot", 5: "Eve"}
NEXT = {"id": 2, "number": 2}


def league(results, *, format="round_robin", byes=None, **settings):
    """A league of five; `results` are (round, home, away, home score, away score), a score of None is still to come."""
    state = empty()
    state["stages"]["1"] = {
        "id": 1, "number": 1, "format": format, "groups": 1, "tie_breaks": [], "rule_year": 2026, "advance": 0,
        "advance_rest": 0, "rounds": 0, "state": "live",
        "points": {"win": 3, "draw": 1, "loss": 0, "bye": 3} | settings.pop("points", {}), **settings,
    }  # fmt: skip
    state["entries"] = {str(n): {"id": n, "name": name, "seed": n, "status": "confirmed"} for n, name in NAMES.items()}
    for n in NAMES:
        row = {"id": n, "stage": 1, "entry": n, "seed": n, "group": 0, "lot": n, "annulled": False}
        state["stage_entries"][str(n)] = {**row, "byes": (byes or {}).get(n, [])}
    for number, (round_, home, away, *score) in enumerate(results, start=1):
        over = score[0] is not None
        winner = None if not over or score[0] == score[1] else home if score[0] > score[1] else away
        state["matches"][str(number)] = {
            "id": number, "stage": 1, "number": number, "bracket": "main", "round": round_, "position": number,
            "group": 0, "best_of": 1, "state": "completed" if over else "ready", "home": home, "away": away,
            "home_closed": False, "away_closed": False, "home_score": score[0] or 0, "away_score": score[1] or 0,
            "home_shootout": None, "away_shootout": None, "games": [], "winner": winner, "reason": "played",
            "home_checked_in": False, "away_checked_in": False, "reported_by": None, "report": None,
            "winner_to": None, "winner_to_side": None, "loser_to": None, "loser_to_side": None, "version": 1,
            "deadline_at": None, "started_at": None, "completed_at": None,
        }  # fmt: skip
    return state, state["stages"]["1"]


ROUNDS = [(1, 1, 2, 2, 0), (1, 3, 4, 1, 1), (2, 2, 3, 3, 0), (2, 1, 5, 0, 0), (3, 4, 5, None, None)]


def test_a_line_has_rank_record_points_and_the_reason_for_its_place():
    (table,) = league_tables(*league(ROUNDS))
    assert [(line.rank, line.name, line.played, line.record, line.points) for line in table.lines] == [
        (1, "Ada", 2, "1–1–0", "4"),
        (2, "Bob", 2, "1–0–1", "3"),
        (3, "Dot", 1, "0–1–0", "1"),
        (4, "Cem", 2, "0–1–1", "1"),
        (5, "Eve", 1, "0–1–0", "1"),
    ]
    assert table.lines[0].why == "above Bob by points, 4 to 3"
    assert table.lines[2].why == "above Cem by score difference, 0 to -3"
    assert table.lines[3].why == "above Eve by head-to-head, 1 to 0"
    assert table.lines[-1].why == ""


def test_only_parts_that_somebody_was_compared_by_have_a_column():
    (table,) = league_tables(*league(ROUNDS, tie_breaks=["points", "tied:scored", "wins", "score_difference", "draw"]))
    assert [column.name for column in table.tie_breaks] == ["Total score, among the tied", "Score difference"]
    assert [line.values for line in table.lines][:2] == [("", "+2"), ("", "+1")]


def test_the_last_round_that_was_played_moves_people():
    (table,) = league_tables(*league(ROUNDS))
    assert {line.name: line.moved for line in table.lines} == {
        "Ada": "", "Bob": "up 3", "Cem": "down 2", "Dot": "", "Eve": "down 1",
    }  # fmt: skip
    (first,) = league_tables(*league(ROUNDS[:2]))
    assert {line.moved for line in first.lines} == {""}


@pytest.mark.parametrize(("advance", "marked"), [(0, []), (2, ["Bob"]), (5, [])])
def test_a_line_is_drawn_under_the_last_who_goes_on(advance, marked):
    state, stage = league(ROUNDS, advance=advance)
    (table,) = league_tables(state, stage, next_stage=NEXT)
    assert [line.name for line in table.lines if line.last_through] == marked
    (alone,) = league_tables(state, stage)
    assert not any(line.last_through for line in alone.lines)


def test_halves_and_shares_are_readable():
    points = {"win": 1, "draw": 0.5, "bye": 1}
    parts = ["points", "game_win_rate"]
    (table,) = league_tables(*league(ROUNDS[:4], format="swiss", points=points, tie_breaks=parts))
    best = table.lines[0]
    assert (best.name, best.points, best.values) == ("Ada", "1.5", ("100.0 %",))


class TestRounds:
    def test_those_of_a_swiss_stand_latest_first_with_the_bye_named(self):
        rounds = league_rounds(*league(ROUNDS, format="swiss", byes={5: [1], 4: [2]}))
        assert [(r.number, r.byes, r.is_over, r.is_present) for r in rounds] == [
            (3, (), False, True),
            (2, ("Dot",), True, False),
            (1, ("Eve",), True, False),
        ]

    def test_those_of_a_round_robin_stand_in_order(self):
        rounds = league_rounds(*league(ROUNDS))
        assert [r.number for r in rounds] == [1, 2, 3]
        assert [match.number for match, _ in rounds[0].matches] == [1, 2]

    def test_a_round_of_nothing_but_a_bye_is_one(self):
        rounds = league_rounds(*league(ROUNDS[:2], format="swiss", byes={5: [1, 2]}))
        assert [(r.number, r.byes) for r in rounds] == [(2, ("Eve",)), (1, ("Eve",))]

    def test_of_a_large_league_one_is_shown(self):
        results = [(1 + n // 100, 1, 2, None, None) for n in range(300)]
        for wanted, shown in (("", 1), ("3", 3), ("4", 1), ("x", 1)):
            rounds = league_rounds(*league(results), wanted)
            assert [r.number for r in rounds if r.is_shown] == [shown]
            assert [len(r.matches) for r in rounds] == [100 * (r.number == shown) for r in rounds]


class TestWhoIsCertain:
    RACE = [(1, 1, 2, 1, 0), (1, 3, 4, 1, 0), (2, 1, 3, 1, 0), (2, 2, 4, 1, 0), (3, 1, 4, None, None)]

    def test_of_a_place_in_the_next_stage_is_marked(self):
        (table,) = league_tables(*league(self.RACE, advance=2), next_stage=NEXT)
        assert {line.name: line.fate for line in table.lines} == {
            "Ada": "through", "Bob": "", "Cem": "", "Dot": "", "Eve": "out",
        }  # fmt: skip

    def test_of_the_first_place_is_marked_in_the_last_stage(self):
        (table,) = league_tables(*league(self.RACE))
        assert [line.name for line in table.lines if line.fate] == ["Ada"]

    @pytest.mark.parametrize("settings", [{"tie_breaks": ["wins", "points"]}, {"state": "completed"}])
    def test_is_nobody_where_points_do_not_decide_or_the_table_says_it(self, settings):
        (table,) = league_tables(*league(self.RACE, **settings))
        assert not any(line.fate for line in table.lines)


class TestTheCrossTable:
    def test_of_a_round_robin_is_a_square_in_the_order_of_the_table(self):
        (table,) = league_tables(*league(ROUNDS))
        cross = table.cross
        assert [line.name for line in cross.lines] == ["Ada", "Bob", "Dot", "Cem", "Eve"]
        texts = [[None if cell is None else [one.text for one in cell] for cell in line.cells] for line in cross.lines]
        assert texts[0] == [None, ["2–0"], [], [], ["0–0"]]
        assert texts[1] == [["0–2"], None, [], ["3–0"], []]
        assert [one.outcome for cell in cross.lines[0].cells for one in cell or ()] == ["won", "drew"]

    def test_of_a_swiss_has_a_column_for_each_round(self):
        (table,) = league_tables(*league(ROUNDS, format="swiss", byes={5: [1]}))
        cross = table.cross
        ada, eve = ([[one.text for one in cell] for line in cross.lines if line.name == name for cell in line.cells]
                    for name in ("Ada", "Eve"))  # fmt: skip
        places = {line.name: line.place for line in cross.lines}
        assert ada == [[f"+{places['Bob']}"], [f"={places['Eve']}"]]
        assert eve == [["bye"], [f"={places['Ada']}"]]

    def test_is_left_out_before_there_is_a_result(self):
        (table,) = league_tables(*league([(1, 1, 2, None, None)]))
        assert table.cross is None
