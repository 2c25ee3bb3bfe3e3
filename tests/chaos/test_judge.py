"""The judge sees what nobody may see: each of these tapes has one thing wrong."""

import json
from collections import Counter
from copy import deepcopy

import pytest

from tests.chaos.crowd import Mark, Texts
from tests.chaos.judge import Cup, Happened, Judge, Reader

CUP, MATCH, OTHER = 1, 5, 6
EPOCH, MEMBER = "e", 9


def score(seq: int, match: int, **fields: int) -> Happened:
    return Happened(seq, "score_updated", "public", f"match:{match}", {"match": {"id": match, **fields}})


UNPLAYED = {"stage": 1, "home": None, "away": None}
LOG = [
    Happened(1, "tournament_created", "public", "", {"tournament": {"id": CUP, "name": "Cup"}, "stage": {"id": 1}}),
    Happened(2, "match_ready", "public", f"match:{MATCH}", {"match": {"id": MATCH} | UNPLAYED}),
    Happened(3, "match_ready", "public", f"match:{OTHER}", {"match": {"id": OTHER} | UNPLAYED}),
    Happened(4, "member_added", "staff", "", {"member": {"id": MEMBER}}),
    score(5, MATCH, home_score=1),
    score(6, MATCH, away_score=1),
    Happened(7, "tournament_updated", "public", "", {"tournament": {"name": "Renamed"}}),
    score(8, OTHER, home_score=3),
]  # fmt: skip


def event(seq: int, prev: int, **changed: object) -> dict:
    happened = LOG[seq - 1]
    return {"type": happened.type, "seq": seq, "prev": prev, "at": "", "data": deepcopy(happened.data)} | changed


def welcome(*, resumed: bool = False, role: str = "spectator", **room: int) -> dict:
    data = {"tournament_id": CUP, "epoch": EPOCH, "seq": 0, "resumed": resumed, "role": role} | room
    return {"type": "connection_established", "data": data}


def snapshot(seq: int, *, staff: bool = False) -> dict:
    from engine.projection import fold

    data = fold(deepcopy(one.data) for one in LOG[:seq] if staff or one.audience == "public")
    return {"type": "snapshot", "epoch": EPOCH, "seq": seq, "data": data}


def judged(*frames: dict | str, match: int | None = None, user: int | None = None) -> tuple[Reader, Counter[str]]:
    """Return what a tape comes to; "begin" and "anew" among the frames are what they are on a tape."""
    texts = Texts()
    marks = [
        Mark(0, one) if isinstance(one, str) else Mark(0, "frame", texts.number(json.dumps(one)))
        for one in ("begin", *frames)
    ]
    judge = Judge({CUP: Cup(EPOCH, LOG)}, texts.all())
    reader = Reader(judge, cup=CUP, match=match, user=user)
    reader.read(marks)
    judge.judge_snapshots()
    return reader, +judge.wrong


MERGED = {"match": {"id": MATCH, "home_score": 1, "away_score": 1}}


@pytest.mark.parametrize(
    "frames",
    [
        [welcome(), snapshot(2), event(3, 2), event(5, 3), event(6, 5), event(7, 6), event(8, 7)],
        [welcome(), snapshot(3), event(6, 3, data=MERGED)],
        [welcome(), snapshot(3), event(5, 3), "begin", welcome(resumed=True), event(6, 5)],
        [welcome(), snapshot(3), event(5, 3), "anew", "begin", welcome(), snapshot(3), event(5, 3)],
    ],
)
def test_what_is_as_it_should_be_is_not_found_wrong(frames):
    reader, wrong = judged(*frames)
    assert not wrong
    assert reader.state == snapshot(reader.mine)["data"]


@pytest.mark.parametrize(
    ("found", "frames"),
    [
        ("hole", [event(5, 4)]),
        ("hole that `prev` hides", [event(7, 2)]),
        ("event sent twice on a connection", [event(3, 2), event(3, 2)]),
        ("event that is not in the tournament's log", [event(3, 2, type="match_started")]),
        ("event that is not in the tournament's log", [event(5, 2, data={"match": {"id": MATCH, "home_score": 2}})]),
        ("event that is not in the tournament's log", [event(5, 2, data=MERGED)]),
        ("event that is not in the tournament's log", [event(3, 2) | {"seq": 9}]),
        ("event for the staff", [event(3, 2), event(4, 3)]),
        ("snapshot that goes back", [snapshot(1)]),
        ("snapshot that is not what happened", [snapshot(3) | {"seq": 5}]),
        ("welcome of another room", ["begin", welcome(match_id=MATCH)]),
        ("resumed from nowhere", ["anew", "begin", welcome(resumed=True)]),
        ("frame of type surprise", [{"type": "surprise"}]),
    ],
)
def test_what_is_wrong_is_found(found, frames):
    _, wrong = judged(welcome(), snapshot(2), *frames)
    assert wrong[found] == 1


def test_a_match_room_hears_of_no_other_match():
    _, wrong = judged(welcome(match_id=MATCH, resumed=True), event(8, 7), match=MATCH)
    assert wrong["event of another room"] == 1


@pytest.mark.parametrize(("user", "right"), [(MEMBER, True), (8, False)])
def test_only_the_staff_is_shown_the_staff(user, right):
    _, wrong = judged(welcome(role="referee"), snapshot(4, staff=True), user=user)
    assert wrong == ({} if right else {"snapshot for the staff": 1})
