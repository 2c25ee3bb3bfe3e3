"""Export and import: what comes back is the same tournament, whatever had happened in it, and it can be played on."""

import copy
import json

import pytest
from django.contrib.auth.models import AnonymousUser

from apps.errors import AuthenticationRequired, BadRequest, Conflict
from apps.eventlog.log import PUBLIC
from apps.eventlog.models import Event, Stream
from apps.tournaments.exchange.document import write_document
from apps.tournaments.models import (
    Dispute,
    DisputeCause,
    Entry,
    Match,
    Stage,
    StageEntry,
    Station,
    Status,
    Tournament,
)
from apps.tournaments.selectors.export import export
from apps.tournaments.selectors.snapshots import tournament_snapshot
from apps.tournaments.services import (
    Actor,
    brackets,
    entries,
    imports,
    matches,
    reopening,
    schedule,
    stages,
    stations,
    teams,
    tournaments,
    veto,
)
from engine.match_flow import Score
from engine.projection import State
from engine.stages import Format
from tests import factories
from tests.integration.tournaments.walk import RandomTournament

pytestmark = pytest.mark.django_db


def state_of(tournament_id) -> State:
    """Return what a file carries: what is announced and on stream is of the moment, and stays where it is."""
    state = renumbered(tournament_snapshot(tournament_id, audience=PUBLIC).data)
    del state["tournament"]["notices"], state["tournament"]["on_stream"]
    return state


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
        if "veto_deadline_at" in row:
            row["veto_deadline_at"] = None
            # One that is not over begins anew: its seed is a secret.
            row["veto"] = None if row["veto"] is None or row["veto"]["turn"] else mapped(row["veto"], None)
        return row

    collections = {
        name: {str(own[row["id"]]): mapped(row, own) for row in state[name].values()} for name, own in ids.items()
    }
    return {"tournament": mapped(state["tournament"], {state["tournament"]["id"]: 1}), **collections}


def imported(tournament_id, by=None) -> Tournament:
    data = write_document(export(tournament_id, staff=True))
    done = imports.import_document(Actor(by or factories.make_user()), data)
    return Tournament.objects.get(pk=done.ids["tournament_id"])


@pytest.mark.parametrize("seed", range(10))
def test_a_random_tournament_comes_back_as_it_was_and_goes_on(seed):
    there = RandomTournament(seed)
    there.run(steps=10 * (seed % 6))
    cup = imported(there.pk, there.organizer)
    assert state_of(cup.pk) == state_of(there.pk)
    here = copy.copy(there)
    here.pk, here.stream, here.earlier, here.over = cup.pk, cup.stream, [], {}
    here.run(steps=10)


@pytest.mark.parametrize("format", Format)
def test_what_is_imported_in_the_middle_ends_as_it_would_have_there(format):
    def decide(match):
        return Score(2, 0) if (match.home.name, match.number) > (match.away.name, 5) else Score(0, 2)

    there = factories.drawn(7, format=format, stage={"best_of": 3, "rounds": 3})
    factories.play(there, decide, matches_at_most=4)
    here = imported(there.pk)
    for cup in (there, here):
        factories.play(cup, decide)
    ended, expected = state_of(here.pk), state_of(there.pk)
    assert ended["tournament"]["status"] == Status.COMPLETED
    assert ended["tournament"] == expected["tournament"]
    if format is not Format.SWISS:  # whose pairs may be drawn in another order where all else is level
        assert [(m["winner"], m["games"]) for m in ended["matches"].values()] == [
            (m["winner"], m["games"]) for m in expected["matches"].values()
        ]


def test_stages_stations_times_and_kept_results_come_along():
    cup = factories.open_with_entries(8, format=Format.ROUND_ROBIN, stage={"groups": 2, "advance": 2})
    by = Actor(cup.created_by)
    stages.add(by, cup.pk, format=Format.DOUBLE_ELIMINATION, name="Playoffs", best_of=3)
    stations.add(by, cup.pk, name="Court 1")
    stations.add(by, cup.pk, name="Court 2")
    factories.draw(cup)
    schedule.plan(by, cup.pk, match_minutes=20)
    factories.play(cup, matches_at_most=14)
    first = cup.matches.filter(stage__number=2).order_by("number").first()
    token = reopening.preview(by, first.pk).token
    reopening.reopen(by, first.pk, token=token)
    schedule.plan(by, cup.pk, match_minutes=25, rest_minutes=5)
    given = state_of(cup.pk)
    rows = given["matches"].values()
    assert any(row["kept"] for row in rows)
    assert any(row["station"] and row["scheduled_at"] for row in rows)
    assert state_of(imported(cup.pk).pk) == given


def test_a_veto_comes_along_when_it_is_over_and_can_be_checked_there():
    cup = factories.drawn(4, stage={"best_of": 3, "veto": {"pool": ["Ascent", "Bind", "Haven", "Lotus"]}})
    by = Actor(cup.created_by)
    for match in cup.matches.filter(state="ready"):
        veto.start(by, match.pk)
    first, second = cup.matches.filter(state="ready").order_by("number")
    while (turn := Match.objects.get(pk=first.pk).veto["turn"]) is not None:
        veto.move(by, first.pk, turn["options"][-1])
    given = state_of(cup.pk)
    assert (given["matches"]["1"]["veto"]["seed"], given["matches"]["2"]["veto"]) != (None, None)
    text = write_document(export(cup.pk, staff=True)).decode()
    assert Match.objects.get(pk=second.pk).veto_seed not in text
    copied = imported(cup.pk)
    assert state_of(copied.pk) == given
    veto.start(Actor(copied.created_by), copied.matches.get(number=2).pk)
    told = json.loads(text)
    told["stages"][0]["matches"][0]["veto"]["moves"][1]["option"] = "Ascent"
    with pytest.raises(BadRequest, match=r"matches\[0\].veto: "):
        imports.import_document(by, json.dumps(told).encode())


def test_a_document_names_nobody_but_the_entrants():
    cup = factories.open_registration(factories.make_tournament(factories.make_user("boss"), capacity=2))
    for name in ("Ada", "Bob", "Cem"):
        factories.enter(cup, factories.make_user(f"account-of-{name}"), name)
    tournaments.edit(Actor(cup.created_by), cup.pk, entry_rule="invite", invite_code="open sesame")
    text = write_document(export(cup.pk, staff=True)).decode()
    assert all(name in text for name in ("Ada", "Bob", "Cem"))
    for private in ("account-of", "boss", "example.test", "sesame"):
        assert private not in text
    copied = imported(cup.pk)
    assert {entry.user for entry in copied.entries.all()} == {None}
    assert copied.invite_code not in ("", "open sesame")


def test_teams_come_along_by_name_with_their_rosters():
    captain = factories.make_user("cleo")
    team = teams.create(Actor(captain), name="Reds").ids["team_id"]
    cup = factories.open_registration(factories.make_tournament(participation="team"))
    entries.register(Actor(captain), cup.pk, team_id=team)
    entry = imported(cup.pk).entries.get()
    assert (entry.name, entry.team, entry.roster) == ("Reds", None, [{"user": None, "name": "cleo"}])


def disputed():
    cup = factories.drawn(2)
    match = factories.match_number(cup, 1)
    matches.report(Actor(match.home.user), match.pk, Score(1, 0))
    matches.dispute(Actor(match.away.user), match.pk, cause=DisputeCause.RULES, text="They used a second ball.")
    return cup


def test_disputes_are_for_the_staff_and_can_be_resolved_where_they_come_to():
    cup = disputed()
    assert "second ball" not in write_document(export(cup.pk)).decode()
    copied = imported(cup.pk)
    dispute = Dispute.objects.get(match__tournament=copied)
    assert (dispute.cause, dispute.text, dispute.opened_by) == ("rules", "They used a second ball.", "away")
    matches.finish(Actor(copied.created_by), dispute.match_id, ruling="It counts.")
    dispute.refresh_from_db()
    assert dispute.ruling == "It counts."
    assert factories.fresh(copied).status == Status.COMPLETED


def test_a_disputed_match_has_a_dispute_also_when_the_document_tells_none():
    data = write_document(export(disputed().pk))
    done = imports.import_document(Actor(factories.make_user()), data)
    dispute = Dispute.objects.get(match__tournament=done.ids["tournament_id"])
    assert (dispute.cause, dispute.text, dispute.resolved_at) == ("score", "", None)


def test_a_short_document_written_by_hand_is_enough():
    told = {
        "format": "deltacrown/1",
        "tournament": {"name": "Club night", "status": "registration_closed"},
        "entries": [{"number": n, "name": name} for n, name in ((7, "Ada"), (3, "Bob"), (5, "Cem"))],
        "stages": [{"number": 1, "format": "swiss", "settings": {"rounds": 2}}],
    }
    done = imports.import_tournament(Actor(factories.make_user()), json.dumps(told).encode())
    cup = factories.fresh(Tournament.objects.get(pk=done.ids["tournament_id"]))
    assert cup.stages.get().options.points.draw == 0.5, "as usual for a Swiss"
    brackets.generate(Actor(cup.created_by), cup.pk)
    factories.play(cup)
    assert factories.fresh(cup).status == Status.COMPLETED


def test_sent_again_it_is_the_same_tournament():
    data = write_document(export(factories.drawn(2).pk))
    actor = Actor(factories.make_user(), "once")
    first = imports.import_document(actor, data)
    assert imports.import_document(actor, data) == first
    with pytest.raises(Conflict):
        imports.import_document(actor, data + b" ")


class TestRefusals:
    """What only shows against the settings of this site, or in its database."""

    @pytest.mark.parametrize(
        ("change", "path", "says"),
        [
            (lambda d: d["tournament"].update(name=""), "tournament.name", "missing"),
            (lambda d: d["tournament"].update(accent="red"), "tournament.accent", "#rrggbb"),
            (lambda d: d["tournament"].update(roster_min=9, roster_max=2), "tournament.roster_max", "fewer players"),
            (lambda d: d["entries"][1].update(name="x" * 61), "entries[1].name", "at most 60"),
            (lambda d: d["entries"][1].update(name="\u202eevil"), "entries[1].name", "cannot be shown"),
            (lambda d: d["entries"][1].update(roster=["a", ""]), "entries[1].roster[1]", "missing"),
            (lambda d: d.update(stations=[{"number": 1, "name": "x" * 41}]), "stations[0].name", "at most 40"),
            (lambda d: d["stages"][0]["settings"].update(best_of=2), "stages[0].settings", "can end level"),
            (lambda d: d["stages"][0]["settings"].update(colour="red"), "stages[0].settings", "no setting colour"),
            (lambda d: d["stages"].extend({"number": n, "format": "swiss"} for n in range(2, 10)), "stages", "8 stage"),
            (lambda d: d["entries"].extend([entry(3, "ÀDA"), entry(4, "àda")]), "entries[3].name", "takes part too"),
        ],
    )  # fmt: skip
    def test_nothing_is_stored_and_the_path_is_told(self, change, path, says):
        told = json.loads(write_document(export(factories.drawn(2).pk)))
        change(told)
        before = counts()
        with pytest.raises(BadRequest, match=says) as refused:
            imports.import_document(Actor(factories.make_user()), json.dumps(told).encode())
        assert refused.value.data["path"] == path
        assert counts() == before

    def test_a_swiss_stage_with_nothing_left_to_play_is_not_live(self):
        cup = factories.drawn(4, format=Format.SWISS, stage={"rounds": 1})
        factories.play(cup)
        told = json.loads(write_document(export(cup.pk)))
        told["tournament"] = {"name": "Stuck", "status": "live"}
        told["stages"][0]["state"] = "live"
        for row in told["stages"][0]["entries"]:
            del row["rank"]
        before = counts()
        with pytest.raises(BadRequest, match="nothing is left to play"):
            imports.import_document(Actor(factories.make_user()), json.dumps(told).encode())
        assert counts() == before

    def test_a_guest_is_asked_to_sign_in_before_anything_is_read(self):
        with pytest.raises(AuthenticationRequired):
            imports.import_tournament(Actor(AnonymousUser()), b"nonsense")


def entry(number, name):
    return {"number": number, "name": name}


def counts():
    return [kind.objects.count() for kind in (Tournament, Stage, Entry, StageEntry, Match, Station, Stream, Event)]
