"""The drawing of brackets of every size: all matches are in it, and every line leads where the winner goes."""

import pytest

from apps.web.present.bracket import drawing
from apps.web.present.meeting import sends, winner_meets
from apps.web.present.names import Names, names_of, round_name
from apps.web.present.shown import match_shown
from engine.double_elimination import double_elimination
from engine.elimination import single_elimination
from engine.projection import empty
from engine.stages import Format

SIZES = [*range(2, 34), 47, 64, 100, 128]


def state_of(plans, format=Format.SINGLE_ELIMINATION, over=()):
    """The state of a stage as it is drawn; matches whose number is in `over` are completed."""
    state = empty()
    stage = {"id": 1, "number": 1, "name": "", "format": format.value, "groups": 1, "state": "live"}
    state["stages"]["1"] = stage
    for plan in plans:
        known = plan.home_seed and plan.away_seed
        state["matches"][str(plan.number)] = {
            "id": plan.number, "stage": 1, "number": plan.number, "bracket": plan.bracket.value, "round": plan.round,
            "position": plan.position, "group": plan.group, "best_of": 1,
            "state": "completed" if plan.number in over else "ready" if known else "scheduled",
            "home": plan.home_seed, "away": plan.away_seed, "home_closed": False, "away_closed": False,
            "home_score": 1, "away_score": 0, "home_shootout": None, "away_shootout": None, "games": [],
            "home_checked_in": False, "away_checked_in": False, "reported_by": None, "report": None,
            "winner": plan.home_seed, "reason": None, "deadline_at": None, "started_at": None, "completed_at": None,
            "winner_to": plan.winner_to and plan.winner_to.match,
            "winner_to_side": plan.winner_to and plan.winner_to.side.value,
            "loser_to": plan.loser_to and plan.loser_to.match,
            "loser_to_side": plan.loser_to and plan.loser_to.side.value, "version": 1,
        }  # fmt: skip
        for seed in (plan.home_seed, plan.away_seed):
            if seed:
                state["entries"][str(seed)] = {"id": seed, "name": f"Entrant {seed}", "seed": seed}
    return state


PLANS = {
    "single": lambda n: single_elimination(n, third_place=True),
    "double": double_elimination,
    "double without reset": lambda n: double_elimination(n, reset=False),
}


@pytest.mark.parametrize("kind", PLANS)
@pytest.mark.parametrize("entrants", SIZES)
def test_every_match_is_drawn_once_and_every_line_leads_to_where_the_winner_goes(kind, entrants):
    plans = PLANS[kind](entrants)
    by_number = {plan.number: plan for plan in plans}
    drawn = drawing(state_of(plans))
    seen = [drawn.third_place.number] if drawn.third_place else []
    for part in drawn.parts:
        for column, following in zip(part.columns, [*part.columns[1:], None], strict=True):
            for place, slot in enumerate(column.slots):
                after = following and following.slots[place if column.straight else place // 2]
                if slot.match is not None:
                    seen.append(slot.match.number)
                    goes_to = by_number[slot.match.number].winner_to
                    if after is not None:
                        assert after.match.number == goes_to.match
                    elif goes_to is not None:  # from the last column of a part to the grand final
                        assert by_number[goes_to.match].bracket == "grand_final"
                elif slot.bye is not None:
                    assert slot.bye_path.startswith(f"m.{after.match.id}.")
                else:
                    assert not after.fed
    assert sorted(seen) == sorted(by_number)


@pytest.mark.parametrize("entrants", SIZES)
def test_everybody_stands_in_the_first_round_of_the_upper_bracket(entrants):
    first = drawing(state_of(double_elimination(entrants))).parts[0].columns[0]
    shown = [side.entry for s in first.slots for side in ((s.match.home, s.match.away) if s.match else (s.bye,))]
    assert sorted(shown) == list(range(1, entrants + 1))


def test_a_wall_is_spared_the_rounds_that_are_over():
    plans = double_elimination(16)
    over = {plan.number for plan in plans if plan.bracket == "main" and plan.round == 1}
    rows = [drawing(state_of(plans, over=done), tv=True).rows for done in ((), over)]
    assert rows == [12, 8]
    crowded = drawing(state_of(double_elimination(64)), tv=True).crowded
    assert [column.name for column in crowded] == ["Upper round 1", "Lower round 1"]


@pytest.mark.parametrize(
    ("format", "bracket", "round_", "rounds", "name"),
    [
        (Format.SINGLE_ELIMINATION, "main", 1, 5, "Round of 32"),
        (Format.SINGLE_ELIMINATION, "main", 5, 5, "Final"),
        (Format.SINGLE_ELIMINATION, "third_place", 5, 5, "Third place"),
        (Format.DOUBLE_ELIMINATION, "main", 1, 4, "Upper round 1"),
        (Format.DOUBLE_ELIMINATION, "main", 4, 4, "Upper final"),
        (Format.DOUBLE_ELIMINATION, "lower", 5, 6, "Lower round 5"),
        (Format.DOUBLE_ELIMINATION, "lower", 6, 6, "Lower final"),
        (Format.DOUBLE_ELIMINATION, "grand_final", 2, 2, "Grand final, reset"),
        (Format.SWISS, "main", 3, 5, "Round 3"),
    ],
)
def test_rounds_are_called_what_people_call_them(format, bracket, round_, rounds, name):
    assert round_name(format, bracket, round_, rounds) == name


def test_where_a_match_is_played_names_the_stage_only_where_there_are_several():
    groups = {"id": 1, "number": 1, "name": "", "format": "round_robin", "groups": 30}
    playoffs = {"id": 2, "number": 2, "name": "", "format": "single_elimination", "groups": 1}
    state = state_of(single_elimination(4))
    row = state["matches"]["1"]
    assert names_of(state).place(match_shown(state, row)) == "Semi-finals"
    names = Names([playoffs, groups], {(2, "main"): 2})
    assert names.place(match_shown(state, {**row, "group": 28, "round": 2})) == "Groups · Group AB · Round 2"
    assert names.place(match_shown(state, {**row, "stage": 2})) == "Playoffs · Semi-finals"


def test_a_card_says_whom_its_winner_meets():
    plans = single_elimination(8, third_place=True)
    state = state_of(plans, over=(3,))
    first = state["matches"]["1"]
    state["matches"]["5"]["home"] = None
    meets = {slot.match.number: slot.meets for column in drawing(state).parts[0].columns for slot in column.slots}
    assert meets[1] == "Winner meets Entrant 4 or Entrant 5"
    assert meets[2] == "Winner meets Entrant 1 or Entrant 8"
    assert meets[3] == ""  # it is over
    assert meets[5] == "Winner meets the winner of 6"
    assert meets[8] == ""  # nobody comes after the final
    state["matches"]["5"]["home"] = first["home"]
    assert winner_meets(state, state["matches"]["2"], sends(state)) == "Winner meets Entrant 1"
    lower = state_of(double_elimination(4))
    assert winner_meets(lower, lower["matches"]["4"], sends(lower)) == "Winner meets the loser of 3"


@pytest.mark.parametrize(("entrants", "folded"), [(32, []), (33, ["Round of 64"]), (64, ["Round of 64"])])
def test_rounds_that_are_over_are_folded_past_32_entrants(entrants, folded):
    plans = single_elimination(entrants)
    first = {plan.number for plan in plans if plan.round == 1}
    columns = drawing(state_of(plans, over=first)).parts[0].columns
    assert [column.name for column in columns if column.folded] == folded
    assert [(column.state, column.says) for column in columns[:2]] == [("done", "done"), ("", "")]
    assert not any(column.folded for column in drawing(state_of(plans, over=first - {1})).parts[0].columns)
    everything = drawing(state_of(plans, over={plan.number for plan in plans})).parts[0].columns
    assert [column.folded for column in everything][-3:] == [False] * 3
