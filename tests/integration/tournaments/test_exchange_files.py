"""Files of other programs: TRF and brackets-manager in, TRF and CSV out, entrants from CSV."""

import csv
import io
import json
from pathlib import Path
from random import Random

import pytest

from apps.errors import BadRequest, Conflict
from apps.eventlog.models import Event
from apps.tournaments.exchange import consistency
from apps.tournaments.exchange.brackets_json import read_brackets
from apps.tournaments.models import Match, StageState, Status, Tournament
from apps.tournaments.selectors import files
from apps.tournaments.selectors.export import export
from apps.tournaments.selectors.standings import tables_of
from apps.tournaments.services import Actor, brackets, entries, entry_imports, imports, matches, tournaments
from engine.bracket import Side
from engine.match_flow import Score
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db

DATA = Path(__file__).parents[2] / "data/brackets"


def imported(data, by=None) -> Tournament:
    done = imports.import_tournament(Actor(by or factories.make_user()), data)
    return factories.fresh(Tournament.objects.get(pk=done.ids["tournament_id"]))


def rows(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def table(stage):
    """A league's standings by name, without the lots, which no report has."""
    names = dict(stage.entries.values_list("entry", "entry__name"))
    lines = [line for lines in tables_of(stage).values() for line in lines]
    return [
        (names[line.entrant], line.rank, line.points, line.wins, line.byes, {**line.values, "draw": 0})
        for line in lines
    ]


def random_score(rng):
    return rng.choice([Score(1, 0), Score(0, 1), Score(0, 0)])


class TestReports:
    @pytest.mark.parametrize("seed", range(6))
    def test_a_swiss_stage_comes_back_with_its_standings(self, seed):
        rng = Random(seed)
        cup = factories.drawn(rng.randint(4, 11), format=Format.SWISS, stage={"rounds": rng.choice([3, 4])})
        factories.play(cup, lambda _: random_score(rng), matches_at_most=rng.randint(1, 20))
        ready = cup.matches.filter(state="ready")
        if rng.random() < 0.5 and ready.exists():
            matches.forfeit(Actor(cup.created_by), ready.first().pk, loser=rng.choice([None, *Side]))
        report = files.report_trf(cup.stages.get())
        copied = imported(report)
        assert table(copied.stages.get()) == table(cup.stages.get())
        assert files.report_trf(copied.stages.get()) == report
        assert copied.status == (
            factories.fresh(cup).status if cup.matches.exclude(state="ready").exists() else copied.status
        )
        consistency.check(export(copied.pk))

    def test_games_without_a_result_are_open_and_can_be_played(self):
        cup = factories.drawn(6, format=Format.SWISS, stage={"rounds": 3})
        factories.play(cup, matches_at_most=4)
        copied = imported(files.report_trf(cup.stages.get()))
        assert {frozenset((m.home.name, m.away.name)) for m in copied.matches.filter(state="ready")} == {
            frozenset((m.home.name, m.away.name)) for m in cup.matches.filter(state="ready")
        }
        factories.play(copied)
        assert (factories.fresh(copied).status, copied.matches.count()) == (Status.COMPLETED, 9)
        assert factories.fresh(copied).champion

    def test_byes_and_other_points_are_kept(self):
        points = {"win": 3, "draw": 1, "loss": 0, "bye": 2}
        cup = factories.drawn(5, format=Format.SWISS, stage={"rounds": 2, "points": points})
        factories.play(cup)
        copied = imported(files.report_trf(cup.stages.get()))
        assert copied.stages.get().options.points == cup.stages.get().options.points
        assert table(copied.stages.get()) == table(cup.stages.get())

    def test_a_round_robin_is_reported_as_well(self):
        cup = factories.drawn(5, format=Format.ROUND_ROBIN)
        factories.play(cup)
        copied = imported(files.report_trf(cup.stages.get()))
        assert [row[:3] for row in table(copied.stages.get())] == [row[:3] for row in table(cup.stages.get())]
        assert copied.status == Status.COMPLETED

    def test_who_does_not_count_any_more_has_no_results_in_the_report(self):
        cup = factories.drawn(4, format=Format.ROUND_ROBIN)
        factories.play(cup, matches_at_most=2)
        gone = factories.match_number(cup, 1).home
        entries.disqualify(Actor(cup.created_by), gone.pk)
        text = files.report_trf(cup.stages.get()).decode()
        line = next(line for line in text.splitlines() if line.startswith("001") and gone.name in line)
        assert " w " not in line
        assert " b " not in line

    def test_a_list_of_players_is_a_draft_with_its_entrants(self):
        report = b"012 Open\n022 Utrecht\n042 2026/11/22\n001    1      Ada\n001    2      Bob\n001    9      Cem\n"
        cup = imported(report)
        assert (cup.name, cup.description, cup.status) == ("Open", "Utrecht", Status.DRAFT)
        assert cup.starts_at.isoformat() == "2026-11-22T00:00:00+00:00"
        assert list(cup.entries.order_by("seed").values_list("name", "seed")) == [("Ada", 1), ("Bob", 2), ("Cem", 3)]
        assert cup.stages.get().state == StageState.PENDING

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (lambda t: t.replace("  0000 - U", "  0000 - H"), "half-point bye in round 1"),
            (lambda t: t.replace("  1.0    1", "  9.0    1"), "follow from no usual scoring"),
            (lambda t: t.replace("XXR", "162  W 1.0    D 0.5    L 0.0    P 0.5\r\nXXR"), "points in the file"),
            (lambda t: t.replace("Cem", "Ada"), "both called “Ada”"),
        ],
    )
    def test_a_report_that_cannot_be_kept_as_it_is_is_refused(self, change, says):
        cup = factories.publish(factories.make_tournament(format=Format.SWISS, stage={"rounds": 1}))
        for name in ("Ada", "Bob", "Cem"):
            entries.add(Actor(cup.created_by), cup.pk, name=name)
        brackets.generate(Actor(cup.created_by), cup.pk)
        factories.play(cup)
        text = files.report_trf(cup.stages.get()).decode()
        assert change(text) != text
        with pytest.raises(BadRequest, match=says):
            imported(change(text).encode())
        assert Tournament.objects.count() == 1

    def test_a_bracket_has_no_report(self):
        with pytest.raises(BadRequest, match="Only a league"):
            files.report_trf(factories.drawn(4).stages.get())


class TestBracketsManager:
    @pytest.mark.parametrize("name", [path.stem for path in sorted(DATA.glob("*.json"))])
    def test_our_stage_has_the_results_of_the_file(self, name):
        data = (DATA / f"{name}.json").read_bytes()
        cup = imported(data)
        told = read_brackets(data).stages[0]
        found = {(m.bracket, frozenset((m.home.name, m.away.name)), m.round): m
                 for m in cup.matches.filter(home__isnull=False, away__isnull=False)}  # fmt: skip
        for match in told.matches:
            if not match.decided:
                continue
            pair = frozenset((match.home, match.away))
            ours = [m for (bracket, two, _), m in found.items() if (bracket, two) == (match.bracket, pair)]
            winner = None if match.winner is None else match.home if match.winner is Side.HOME else match.away
            assert winner in [m.winner and m.winner.name for m in ours]
            assert all(m.is_over for m in ours)
        consistency.check(export(cup.pk))
        factories.play(cup)
        assert factories.fresh(cup).status == Status.COMPLETED

    @pytest.mark.parametrize("name", ["double_6_plural", "double_8", "single_8"])
    def test_the_board_plays_as_the_services_do(self, name):
        cup = imported((DATA / f"{name}.json").read_bytes())
        stage = cup.stages.get()
        again = factories.publish(
            factories.make_tournament(format=Format(stage.format), capacity=16, stage=stage.settings)
        )
        by = Actor(again.created_by)
        for row in stage.entries.order_by("seed"):
            entries.add(by, again.pk, name=row.entry.name)
        brackets.generate(by, again.pk)
        results = {m.number: m for m in cup.matches.all()}
        factories.play(again, lambda match: results[match.number].score)
        assert positions(again) == positions(cup)
        assert factories.fresh(again).champion.name == cup.champion.name

    def test_a_lower_bracket_that_pairs_others_is_refused_with_the_match(self):
        tables = json.loads((DATA / "double_8.json").read_bytes())
        lower = [m for m in tables["match"] if m["group_id"] == 1][:2]
        lower[0]["opponent2"], lower[1]["opponent2"] = lower[1]["opponent2"], lower[0]["opponent2"]
        with pytest.raises(BadRequest, match=r"round 1 of the lower bracket: .* Losers drop into other places"):
            imported(json.dumps(tables).encode())
        assert not Tournament.objects.exists()

    @pytest.mark.parametrize(
        ("home", "away", "says"),
        [
            ({"score": 1, "result": "win"}, {"score": 3, "result": "loss"}, "1–3 and its result contradict"),
            ({"score": 2, "result": "win"}, {"score": 2, "result": "loss"}, "2–2 is level"),
            ({"score": 1000, "result": "win"}, {"score": 0, "result": "loss"}, "from 0 to 999"),
        ],
    )
    def test_a_score_that_says_otherwise_than_the_result_is_refused(self, home, away, says):
        tables = json.loads((DATA / "single_8.json").read_bytes())
        tables["match"][0]["opponent1"] |= home
        tables["match"][0]["opponent2"] |= away
        with pytest.raises(BadRequest, match=says):
            imported(json.dumps(tables).encode())

    def test_a_win_without_a_score_is_the_least_that_wins(self):
        tables = json.loads((DATA / "single_8.json").read_bytes())
        for side in ("opponent1", "opponent2"):
            del tables["match"][0][side]["score"]
        first = factories.match_number(imported(json.dumps(tables).encode()), 1)
        assert (first.home_score, first.away_score, first.winner) == (1, 0, first.home)

    def test_what_is_no_file_of_anybody_is_refused(self):
        for data in (b"", b"{}", b"[]", b"hello", b"PK\x03\x04\0", b"\xff" * 100):
            with pytest.raises(BadRequest) as refused:
                imported(data)
            assert refused.value.data["field"] == "file"
        assert not Tournament.objects.exists()


def positions(cup):
    return {
        m.number: (m.state, *(side and side.name for side in (m.home, m.away, m.winner)), m.score)
        for m in Match.objects.filter(tournament=cup).select_related("home", "away", "winner")
    }


class TestEntrants:
    def entered(self, cup, text):
        done = entry_imports.import_entries(Actor(cup.created_by), cup.pk, text.encode())
        return done.ids["added"]

    def test_everybody_is_entered_with_seeds_and_the_rest_waits(self):
        cup = factories.make_tournament(capacity=3)
        assert self.entered(cup, "name,seed,rating\nAda,2,1800\nBob,,\nCem,1,\nDan,,\n") == 4
        found = list(cup.entries.order_by("pk").values_list("name", "seed", "status"))
        assert found == [
            ("Ada", 2, "confirmed"), ("Bob", None, "confirmed"), ("Cem", 1, "confirmed"), ("Dan", None, "waitlisted")
        ]  # fmt: skip
        assert factories.fresh(cup).seeding == "manual"
        assert Event.objects.filter(stream__name=cup.stream, type="registration_imported").count() == 1
        assert entries_state(cup) == {"Ada": 2, "Bob": None, "Cem": 1, "Dan": None}

    def test_everything_wrong_is_told_at_once_and_nobody_is_entered(self):
        cup = factories.make_tournament()
        self.entered(cup, "name,seed\nAda,1\nBob,\n")
        with pytest.raises(BadRequest) as refused:
            self.entered(cup, "name,seed\nNew,2\nADA,3\n,4\nCem,1\nCem,x\nbob,2\n")
        assert [(e["row"], e["column"]) for e in refused.value.data["errors"]] == [
            (3, "name"), (4, "name"), (5, "seed"), (6, "seed"), (6, "name"), (7, "name"), (7, "seed")
        ]  # fmt: skip
        assert "The name ADA belongs to somebody who takes part already." in refused.value.message
        assert cup.entries.count() == 2

    def test_a_name_that_somebody_gave_up_is_free(self):
        cup = factories.make_tournament()
        self.entered(cup, "name\nAda\n")
        entries.withdraw(Actor(cup.created_by), cup.entries.get().pk)
        assert self.entered(cup, "name\nada\n") == 1

    def test_not_once_the_bracket_is_drawn(self):
        cup = factories.drawn(2)
        with pytest.raises(Conflict, match="has been drawn"):
            self.entered(cup, "name\nNew\n")

    def test_the_exported_list_is_the_same_list_elsewhere(self):
        cup = factories.make_tournament(capacity=2)
        self.entered(cup, 'name,seed\n"Ünal; ""Bob"", Jr.",2\n=SUM(1),1\nCem,\n')
        other = factories.make_tournament(capacity=2)
        entry_imports.import_entries(Actor(other.created_by), other.pk, files.entrants_csv(cup))
        assert entries_state(other) == entries_state(cup)
        assert list(other.entries.order_by("pk").values_list("status", flat=True)) == [
            "confirmed", "confirmed", "waitlisted"
        ]  # fmt: skip


def entries_state(cup):
    """The seeds by name, as the log tells them."""
    return {row["name"]: row["seed"] for row in _entries_of_log(cup)}


def _entries_of_log(cup):
    found = {}
    for event in Event.objects.filter(stream__name=cup.stream).order_by("seq"):
        data = json.loads(event.data)
        for row in [*data.get("entries", []), *([data["entry"]] if "entry" in data else [])]:
            found.setdefault(row["id"], {}).update(row)
    return found.values()


class TestTables:
    def test_results_in_the_order_of_play(self):
        cup = factories.drawn(4, third_place_match=False)
        by = Actor(cup.created_by)
        first, second, _ = cup.matches.order_by("number")
        matches.start(by, first.pk)
        matches.finish(by, first.pk, Score(3, 1))
        matches.award_walkover(by, second.pk, winner=Side.AWAY)
        found = rows(files.results_csv(cup))
        assert [(r["round"], r["match"], r["home_score"], r["away_score"], r["state"]) for r in found] == [
            ("1", "1", "3", "1", "completed"), ("1", "2", "0", "0", "forfeit"), ("2", "3", "", "", "ready")
        ]  # fmt: skip
        assert found[0]["winner"] == first.home.name == found[2]["home"]

    def test_a_league_with_its_tie_breaks(self):
        cup = factories.drawn(4, format=Format.ROUND_ROBIN, stage={"tie_breaks": ["points", "wins", "draw"]})
        factories.play(cup)
        found = rows(files.standings_csv(cup.stages.get()))
        assert [(r["rank"], r["points"], r["wins"]) for r in found] == [
            ("1", "9", "3"), ("2", "6", "2"), ("3", "3", "1"), ("4", "0", "0")
        ]  # fmt: skip
        assert list(found[0])[-2:] == ["wins", "draw"]

    def test_a_bracket_has_places_when_it_is_over(self):
        cup = factories.drawn(4)
        assert {row["rank"] for row in rows(files.standings_csv(cup.stages.get()))} == {""}
        factories.play(cup)
        found = rows(files.standings_csv(cup.stages.get()))
        assert [(r["rank"], r["played"], r["won"], r["lost"], r["points"]) for r in found] == [
            ("1", "2", "2", "0", ""), ("2", "2", "1", "1", ""), ("3", "2", "1", "1", ""), ("4", "2", "0", "2", "")
        ]  # fmt: skip

    def test_what_a_name_begins_with_is_no_formula(self):
        cup = factories.publish(factories.make_tournament())
        for name in ("=1+1", "@x"):
            entries.add(Actor(cup.created_by), cup.pk, name=name)
        brackets.generate(Actor(cup.created_by), cup.pk)
        tournaments.edit(Actor(cup.created_by), cup.pk, name="=A1")
        for data in (files.entrants_csv(cup), files.results_csv(cup), files.standings_csv(cup.stages.get())):
            assert "'=1+1" in data.decode()
            assert ",=1+1" not in data.decode()
