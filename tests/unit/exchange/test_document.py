"""Documents: what is read, what is refused, and where the refusal says that the fault is."""

import copy
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import msgspec
import pytest

from apps.errors import BadRequest
from apps.tournaments.exchange import brackets_document, consistency
from apps.tournaments.exchange.brackets_json import read_brackets
from apps.tournaments.exchange.decoding import MAX_BYTES
from apps.tournaments.exchange.document import is_document, read_document, write_document

DATA = Path(__file__).parents[2] / "data/brackets"
NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


def document(name):
    """A document as JSON has it, of a stage that is being played."""
    read = brackets_document.document_of(read_brackets((DATA / f"{name}.json").read_bytes()), NOW)
    return msgspec.json.decode(write_document(read))


BRACKET, LEAGUE = document("single_5_balanced"), document("round_robin")


def read(changed):
    consistency.check(read_document(json.dumps(changed).encode()))


def put(path, value):
    """Return a change that sets one value, as in "stages.0.matches.1.home"."""
    *way, last = [int(step) if step.isdecimal() else step for step in path.split(".")]

    def change(root):
        for step in way:
            root = root[step]
        root[last] = value

    return change


def drop(path):
    *way, last = path.split(".")

    def change(root):
        for step in way:
            root = root[int(step) if step.isdecimal() else step]
        del root[last]

    return change


def test_what_agrees_is_read():
    for name in ("single_5_balanced", "round_robin"):
        read(document(name))
    assert is_document(json.dumps(BRACKET).encode())


def test_a_document_comes_back_from_its_file():
    for told in (BRACKET, LEAGUE):
        given = read_document(json.dumps(told).encode())
        assert read_document(write_document(given)) == given


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b"{", b"[" * 100_000, b'{"format": ' * 100_000, b"\xff\xfe{}", b'{"format": NaN}', b"001 TRF"],
)
def test_what_is_no_document_is_refused(data):
    assert not is_document(data)
    with pytest.raises(BadRequest) as refused:
        read_document(data)
    assert refused.value.data["field"] == "file"


def test_a_document_of_another_version_is_told_apart():
    data = json.dumps(BRACKET | {"format": "deltacrown/2"}).encode()
    assert is_document(data)
    with pytest.raises(BadRequest, match="deltacrown/1"):
        read_document(data)


def test_a_file_that_is_too_large_is_not_looked_at():
    with pytest.raises(BadRequest, match="8 MiB"):
        read_document(json.dumps(BRACKET).encode() + b" " * MAX_BYTES)


@pytest.mark.parametrize(
    ("base", "change", "path", "says"),
    [
        # each field by itself
        (BRACKET, drop("tournament"), "", "missing required field `tournament`"),
        (BRACKET, put("surprise", 1), "", "unknown field `surprise`"),
        (BRACKET, put("tournament.capacity", 4097), "tournament.capacity", "<= 4096"),
        (BRACKET, put("tournament.status", "open"), "tournament.status", "Invalid enum value"),
        (BRACKET, put("tournament.starts_at", "2026-11-22T18:00:00"), "tournament.starts_at", "timezone"),
        (BRACKET, put("tournament.starts_at", "9999-12-31T23:00:00-12:00"), "tournament.starts_at", "years 2000"),
        (BRACKET, put("entries.3.seed", 0), "entries[3].seed", ">= 1"),
        (BRACKET, put("stages.0.matches.1.state", "paused"), "stages[0].matches[1].state", "Invalid enum value"),
        (BRACKET, put("stages.0.matches.1.home_score", 1000), "stages[0].matches[1].home_score", "<= 999"),
        (BRACKET, put("stages.0.matches.1.version", 2**31), "stages[0].matches[1].version", "<= 2147483647"),
        (BRACKET, put("stages.0.matches.1.winner_to.side", "left"), "stages[0].matches[1].winner_to.side", "enum"),
        # numbers that are referred to
        (BRACKET, put("entries.3.number", 1), "entries[3].number", "the same as in entries[0]"),
        (BRACKET, put("entries.3.name", "ada"), "entries[3].name", "who takes part too"),
        (BRACKET, put("entries.3.status", "offered"), "entries[3].claim_by", "until a time"),
        (BRACKET, put("tournament.capacity", 4), "tournament.capacity", "5 entrants are confirmed"),
        (BRACKET, put("stages.0.number", 2), "stages[0].number", "numbered in order"),
        (BRACKET, put("stages.0.entries.0.entry", 9), "stages[0].entries[0].entry", "no entry 9"),
        (BRACKET, put("stages.0.entries.0.seed", 2), "stages[0].entries[1].seed", "the same as in"),
        (BRACKET, put("stages.0.entries.0.rank", 1), "stages[0].entries[0].rank", "when the stage is completed"),
        (BRACKET, put("stages.0.entries.0.group", 1), "stages[0].entries[0].group", "from 0 to 0"),
        (BRACKET, put("stages.0.matches.1.number", 1), "stages[0].matches[1].number", "the same as in"),
        (BRACKET, put("stages.0.matches.1.station", 1), "stages[0].matches[1].station", "no station 1"),
        (BRACKET, put("disputes", [{"stage": 1, "match": 9, "opened_at": "2026-11-22T18:00:00Z"}]), "disputes[0].match",
         "no match 9"),
        # results
        (BRACKET, put("stages.0.matches.2.winner", 5), "stages[0].matches[2].winner", "does not play in this match"),
        (BRACKET, put("stages.0.matches.2.winner", 4), "stages[0].matches[2].winner", "not ahead in the score"),
        (BRACKET, drop("stages.0.matches.2.winner"), "stages[0].matches[2].winner", "somebody is ahead or has to be"),
        (BRACKET, put("stages.0.matches.2.reason", "walkover"), "stages[0].matches[2].reason", "reasons played"),
        (BRACKET, put("stages.0.matches.1.reason", "played"), "stages[0].matches[1].reason", "ready has no reason"),
        (BRACKET, put("stages.0.matches.1.winner", 5), "stages[0].matches[1].winner", "nobody has won it"),
        (BRACKET, put("stages.0.matches.2.home_shootout", 3), "stages[0].matches[2]", "shootout needs a number"),
        (BRACKET, put("stages.0.matches.1.state", "pending_result"), "stages[0].matches[1].report", "nobody has"),
        (BRACKET, put("stages.0.matches.1.reported_by", "home"), "stages[0].matches[1].report", "has a side"),
        (BRACKET, put("stages.0.matches.2.deadline_at", "2026-11-22T18:00:00Z"), "stages[0].matches[2].deadline_at",
         "nothing is due"),
        (BRACKET, put("stages.0.matches.1.scheduled_at", "2026-11-22T18:00:30Z"), "stages[0].matches[1].scheduled_at",
         "whole minute"),
        (BRACKET, put("stages.0.matches.1.kept", [{"home": 1, "away": 1, "reason": "played"}]),
         "stages[0].matches[1].kept[0].winner", "one of two entrants"),
        # who stands where in a bracket
        (BRACKET, put("stages.0.matches.1.home", 4), "stages[0].matches[2].away", "who begins nowhere else"),
        (BRACKET, put("stages.0.matches.3.home", 3), "stages[0].matches[3].home", "not what the matches before bring"),
        (BRACKET, put("stages.0.matches.1.winner_to.match", 2), "stages[0].matches[1].winner_to", "no later match"),
        (BRACKET, put("stages.0.matches.1.winner_to.side", "away"), "stages[0].matches[2].winner_to", "to the away"),
        (BRACKET, put("stages.0.matches.1.state", "scheduled"), "stages[0].matches[1].state", "with these entrants"),
        (BRACKET, put("stages.0.matches.3.state", "live"), "stages[0].matches[3].state", "an entrant is missing"),
        (BRACKET, put("stages.0.matches.3.away_closed", True), "stages[0].matches[3].away_closed", "here is somebody"),
        (BRACKET, lambda d: d["stages"][0]["matches"].pop(), "stages[0].matches[1].winner_to", "no later match"),
        # what is there, and what state it is in
        (BRACKET, put("stages.0.state", "pending"), "stages[0].state", "pending, and has been drawn"),
        (BRACKET, put("stages.0.state", "completed"), "stages[0].entries[0].rank", "rank is missing"),
        (BRACKET, put("tournament.status", "registration_closed"), "tournament.status", "has begun"),
        (BRACKET, put("tournament.status", "completed"), "tournament.status", "and a stage is not"),
        (BRACKET, put("tournament.champion", 1), "tournament.champion", "has not become number 1"),
        (BRACKET, lambda d: d["stages"].append(d["stages"][0] | {"number": 2}), "stages[1].state", "stage 1 before it"),
        (LEAGUE, put("stages.0.matches.0.away", 5), "stages[0].matches[1].home", "something else in round"),
        (LEAGUE, put("stages.0.matches.0.group", 0), "stages[0].matches[0].group", "is in group 1"),
        (LEAGUE, put("stages.0.matches.0.winner_to", {"match": 2, "side": "home"}), "stages[0].matches[0].winner_to",
         "leads to no other"),
        (LEAGUE, put("stages.0.settings.legs", []), "stages[0].settings", "Expected `int`"),
        (LEAGUE, put("stages.0.matches.0.round", 1000), "stages[0].matches[0].round", "<= 999"),
        (LEAGUE, put("stages.0.settings.legs", 2), "stages[0].matches", "as often as the settings say (2)"),
        (LEAGUE, lambda d: d["stages"][0]["matches"].pop(), "stages[0].matches", "Not all pairs"),
        (LEAGUE, put("stages.0.entries.0.byes", [1]), "stages[0].matches[0].home", "something else in round 1"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused_with_its_path(base, change, path, says):
    changed = copy.deepcopy(base)
    change(changed)
    with pytest.raises(BadRequest) as refused:
        read(changed)
    assert (refused.value.data["path"], refused.value.data["field"]) == (path, "file")
    assert says in refused.value.message


@pytest.mark.parametrize("seed", range(40))
def test_a_document_with_anything_in_any_place_is_read_or_refused(seed):
    rng = Random(seed)
    for base in (BRACKET, LEAGUE):
        for _ in range(10):
            changed = copy.deepcopy(base)
            for _ in range(rng.randint(1, 3)):
                _spoil(changed, rng)
            with suppress(BadRequest):
                read(changed)


def _spoil(part, rng):
    """Put something else into a random place."""
    keys = list(part) if isinstance(part, dict) else list(range(len(part)))
    if not keys:
        return
    key = rng.choice(keys)
    if isinstance(part[key], dict | list) and part[key] and rng.random() < 0.9:
        _spoil(part[key], rng)
        return
    values = [None, 0, 1, 2, 5, -1, 10**30, 1.5, "", "home", "completed", True, [], {}, [1], "2026-11-22T18:00:00Z"]
    part[key] = rng.choice(values)
