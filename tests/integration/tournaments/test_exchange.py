"""Export and import: what comes back is the same tournament, whatever had happened in it, and it can be played on."""

import copy

import pytest

from apps.eventlog.log import PUBLIC
from apps.tournaments.exchange.document import write_document
from apps.tournaments.models import Tournament
from apps.tournaments.selectors.export import export
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import Actor, imports
from engine.projection import State
from tests import factories
from tests.integration.tournaments.walk import RandomTournament

pytestmark = pytest.mark.django_db


def state_of(tournament_id) -> State:
    return renumbered(tournament_snapshot(tournament_id, audience=PUBLIC).data)


def renumbered(state: State) -> State:
    """Return a state whose ids are counted from 1 in natural order, so that two sites' can be compared."""
    stages = {row["id"]: row["number"] for row in state["stages"].values()}
    orders = {
        "stages": lambda row: row["number"],
        "entries": lambda row: row["id"],
        "stage_entries": lambda row: (stages[row["stage"]], row["entry"]),
        "matches": lambda row: (stages[row["stage"]], row["number"]),
        "stations": lambda row: row["id"],
    }
    ids = {}
    for name, order in orders.items():
        rows = sorted(state[name].values(), key=order)
        ids[name] = {None: None, **{row["id"]: number for number, row in enumerate(rows, start=1)}}
    entrants = ("entry", "home", "away", "winner", "champion", "runner_up", "third_place")
    references = {**dict.fromkeys(entrants, ids["entries"]), "stage": ids["stages"], "station": ids["stations"]}

    def mapped(row, own):
        row = {name: references[name][value] if name in references else value for name, value in row.items()}
        if "kept" in row:
            row["kept"] = [mapped(kept, None) for kept in row["kept"]]
        if own is not None:
            row["id"] = own[row["id"]]
        if "team" in row:
            row["team"] = None  # teams stay where they are
        return row

    collections = {
        name: {str(own[row["id"]]): mapped(row, own) for row in state[name].values()} for name, own in ids.items()
    }
    return {"tournament": mapped(state["tournament"], {state["tournament"]["id"]: 1}), **collections}


def imported(tournament_id, by=None) -> Tournament:
    data = write_document(export(tournament_id, staff=True))
    done = imports.import_document(Actor(by or factories.make_user()), data)
    return Tournament.objects.get(pk=done.ids["tournament_id"])


@pytest.mark.parametrize("seed", range(16))
def test_a_random_tournament_comes_back_as_it_was_and_goes_on(seed):
    there = RandomTournament(seed)
    there.run(steps=12 * (seed % 6))
    cup = imported(there.pk, there.organizer)
    assert state_of(cup.pk) == state_of(there.pk)
    here = copy.copy(there)
    here.pk, here.stream, here.earlier, here.over = cup.pk, cup.stream, [], {}
    here.run(steps=15)
