"""Of scores that change quickly fewer go out, and whoever follows the rule ends with the state of the log."""

from collections import defaultdict
from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from apps.eventlog.log import PUBLIC, STAFF, Position, Recorded
from apps.tournaments.realtime.coalesce import WINDOW_SECONDS, Coalescer, conflated
from apps.tournaments.realtime.feed import Feed, seen_in
from apps.tournaments.realtime.rooms import Room
from engine.projection import empty, fold
from tests.fanout import AtOnce, frames_of

STREAM = "tournament:7"
ROOMS = [Room(STREAM, subject, audience) for subject in ("", "match:1", "match:2") for audience in (PUBLIC, STAFF)]


def event(seq: int, type_: str, match: int = 1, audience: str = PUBLIC, **fields) -> Recorded:
    return Recorded(
        stream=STREAM,
        epoch="e",
        seq=seq,
        type=type_,
        audience=audience,
        subject=f"match:{match}" if match else "",
        data=msgspec.Raw(msgspec.json.encode({"match": {"id": match} | fields} if match else {"tournament": fields})),
        at="2026-01-01T00:00:00.000Z",
    )


def score(seq: int, match: int = 1, **fields) -> Recorded:
    return event(seq, "score_updated", match, **fields)


# What happens, how long after the event before: scores in quick succession, now and then something else.
happenings = st.lists(
    st.tuples(
        st.sampled_from(["score_updated"] * 6 + ["match_completed", "match_started", "tournament_updated"]),
        st.integers(1, 3),
        st.sampled_from([PUBLIC, PUBLIC, STAFF]),
        st.dictionaries(st.sampled_from(["home_score", "away_score", "state"]), st.integers(0, 9), min_size=1),
        st.sampled_from([0, 0.001, 0.03, 0.099, 0.1, 0.5]),
    ),
    min_size=1,
    max_size=40,
)


def written(kinds) -> tuple[list[Recorded], list[float]]:
    events, times, now = [], [], 0.0
    for seq, (type_, match, audience, fields, pause) in enumerate(kinds, start=1):
        now += pause
        subject = 0 if type_ == "tournament_updated" else match
        events.append(event(seq, type_, subject, audience, **fields))
        times.append(now)
    return events, times


class Watcher:
    """A connection that keeps to the client's rule, and the times at which it was written to."""

    def __init__(self, clock: AtOnce) -> None:
        self.clock, self.mine, self.state = clock, 0, empty()
        self.got: list[tuple[float, dict]] = []

    def deliver(self, batch) -> None:
        for frame in frames_of(batch):
            assert frame["prev"] <= self.mine < frame["seq"]
            self.mine = frame["seq"]
            fold([frame["data"]], self.state)
            self.got.append((self.clock.now, frame))


@given(happenings)
def test_whatever_comes_when_each_room_ends_with_the_state_of_its_log(kinds):
    events, times = written(kinds)
    clock = AtOnce()
    feed = Feed(STREAM, clock)
    feed.position = Position("e", 0)
    watchers = {room: Watcher(clock) for room in ROOMS}
    for room, watcher in watchers.items():
        feed.room(room).connections[watcher] = None
    for one, at in zip(events, times, strict=True):
        clock.pass_time(at - clock.now)
        feed.offer([one])
    clock.pass_time(1)
    for room, watcher in watchers.items():
        theirs = [one for one in events if seen_in(one, room)]
        assert watcher.state == fold([msgspec.json.decode(one.data) for one in theirs])
        assert watcher.mine == max([one.seq for one in theirs], default=0)
        seqs = [frame["seq"] for _, frame in watcher.got]
        # What is not a score goes out at once, and nothing is left out of order.
        assert [one.seq for one in theirs if one.type != "score_updated"] == [
            frame["seq"] for _, frame in watcher.got if frame["type"] != "score_updated"
        ]
        assert seqs == sorted(set(seqs))
    for at, frame in watchers[ROOMS[1]].got:
        delay = at - times[frame["seq"] - 1]
        assert delay <= (WINDOW_SECONDS + 1e-9 if frame["type"] == "score_updated" else 0)


@given(happenings)
def test_a_match_has_one_score_a_window_unless_something_else_goes_out(kinds):
    events, times = written(kinds)
    coalescer = Coalescer()
    sent: dict[str, list[float]] = defaultdict(list)
    others: list[float] = []

    def go(out, now) -> None:
        for number, one in enumerate(out):
            if one.type == "score_updated":
                sent[one.subject].append(now)
                if number < len(out) - 1:
                    others.append(now)
            else:
                others.append(now)

    for one, at in zip(events, times, strict=True):
        while (due := coalescer.due) is not None and due <= at:
            go(coalescer.flush(due), due)
        go(coalescer.take(one, at), at)
    for moments in sent.values():
        for earlier, later in pairwise(moments):
            assert later - earlier >= WINDOW_SECONDS - 1e-9 or later in others


def test_the_first_goes_out_at_once_then_the_latest_with_all_that_it_stands_for():
    coalescer = Coalescer()
    first = score(1, home_score=1, version=1)
    assert coalescer.take(first, 0.0) == [first]
    assert coalescer.due is None
    assert coalescer.take(score(2, home_score=2, version=2), 0.02) == []
    assert coalescer.take(score(3, away_score=1, version=3), 0.05) == []
    assert coalescer.due == WINDOW_SECONDS
    (latest,) = coalescer.flush(WINDOW_SECONDS)
    assert (latest.seq, msgspec.json.decode(latest.data)) == (
        3,
        {"match": {"id": 1, "home_score": 2, "away_score": 1, "version": 3}},
    )
    assert coalescer.due is None


def test_the_end_of_a_match_takes_its_last_score_along_before_itself():
    coalescer = Coalescer()
    coalescer.take(score(1, home_score=1), 0)
    coalescer.take(score(2, home_score=2), 0.01)
    end = event(3, "match_completed", state="completed")
    assert [one.seq for one in coalescer.take(end, 0.02)] == [2, 3]


def test_a_match_does_not_wait_for_another_ones_window():
    coalescer = Coalescer()
    coalescer.take(score(1, match=1, home_score=1), 0)
    coalescer.take(score(2, match=1, home_score=2), 0.01)
    assert [one.seq for one in coalescer.take(score(3, match=2, home_score=1), 0.02)] == [2, 3]


def test_a_window_that_is_open_stays_open_when_others_are_flushed():
    coalescer = Coalescer()
    coalescer.take(score(1, match=1), 0)
    coalescer.take(score(2, match=2), 0.06)
    coalescer.take(score(3, match=1), 0.07)
    assert [one.seq for one in coalescer.flush(0.1)] == [3]
    assert coalescer.take(score(4, match=2), 0.12) == []


@given(happenings)
def test_for_whoever_gets_all_at_once_the_latest_scores_are_enough(kinds):
    events, _ = written(kinds)
    fewer = conflated(events)
    assert fold([msgspec.json.decode(one.data) for one in fewer]) == fold(
        [msgspec.json.decode(one.data) for one in events]
    )
    seqs = [one.seq for one in fewer]
    assert seqs == sorted(seqs)
    assert seqs[-1] == events[-1].seq
    assert [one for one in fewer if one.type != "score_updated"] == [
        one for one in events if one.type != "score_updated"
    ]
    for one, after in pairwise(fewer):
        assert not (one.type == after.type == "score_updated" and one.subject == after.subject)
