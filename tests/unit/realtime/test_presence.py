"""Whatever comes and goes, and whatever the bus does, rooms hear the truth soon, and seldom."""

from collections import defaultdict
from itertools import count, pairwise
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.tournaments.realtime import presence
from apps.tournaments.realtime.presence import (
    EXPIRY_SECONDS,
    GOSSIP_SECONDS,
    GRACE_SECONDS,
    REFRESH_SECONDS,
    TELL_SECONDS,
    TICK_SECONDS,
    Counts,
    Gossip,
    Presence,
    quantised,
)
from apps.tournaments.realtime.protocol import encode
from apps.tournaments.realtime.rooms import Room
from engine.bracket import Side

STREAM = "tournament:7"
CUP, MATCH = Room(STREAM, "", "public"), Room(STREAM, "match:5", "public")
STAFF_CUP = Room(STREAM, "", "staff")
SOON = TELL_SECONDS + 2 * TICK_SECONDS
SIDES = {"user:1": Side.HOME, "user:2": Side.AWAY}


class Watcher:
    """A connection that keeps what it is told, and when."""

    def __init__(self, process: Presence, room: Room, person: str, *, live: bool = True) -> None:
        self.process, self.room, self.person, self.live = process, room, person, live
        self.told: list[tuple[float, dict]] = []

    def put(self, what) -> None:
        raise AssertionError("the site below delivers")

    @property
    def last(self) -> dict:
        return self.told[-1][1]


class Site:
    """Processes on one bus, and a clock that the test moves."""

    def __init__(self, processes: int, random: Random | None = None) -> None:
        self.now = 0.0
        self.random = random  # with one, the bus loses, doubles and delays
        self.processes = [Presence() for _ in range(processes)]
        self.watchers: list[Watcher] = []
        self.under_way: list[tuple[float, Presence, Gossip]] = []
        self.gossip_at: dict[Presence, list[float]] = defaultdict(list)
        self.frames_at: dict[tuple[Presence, str], list[float]] = defaultdict(list)
        self.guests = count()

    def join(self, process: int, room: Room = CUP, person: str = "guest", **options) -> Watcher:
        if person == "guest":
            person = f"guest:{next(self.guests)}"
        watcher = Watcher(self.processes[process], room, person, **options)
        self.watchers.append(watcher)
        watcher.process.join(watcher, room, person, SIDES.get(person) if room is MATCH else None)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        self.watchers.remove(watcher)
        watcher.process.leave(watcher, watcher.room, watcher.person)
        if not any(other.process is watcher.process for other in self.watchers):
            self._post(watcher.process, watcher.process.stop())
            for room in self.frames_at:
                if room[0] is watcher.process:
                    self.frames_at[room] = []  # nobody is left who could get a second one

    def kill(self, process: int) -> None:
        """End a process as a crash would; another one takes its place."""
        killed, self.processes[process] = self.processes[process], Presence()
        self.watchers = [watcher for watcher in self.watchers if watcher.process is not killed]
        self.under_way = [message for message in self.under_way if message[1] is not killed]

    def pass_time(self, seconds: float) -> None:
        for _ in range(int(seconds / TICK_SECONDS)):
            self.now += TICK_SECONDS
            due = [message for message in self.under_way if message[0] <= self.now]
            self.under_way = [message for message in self.under_way if message[0] > self.now]
            for _, to, gossip in due:
                to.hear(gossip, self.now)
            for process in self.processes:
                look = process.look(self.now)
                self._post(process, look.gossip)
                self.gossip_at[process] += [self.now] * len(look.gossip)
                for frame, members in look.frames:
                    assert members
                    self.frames_at[process, members[0].room.subject].append(self.now)
                    for member in members:
                        assert member in self.watchers
                        member.told.append((self.now, msgspec.json.decode(encode(frame))))

    def truth(self, subject: str) -> dict:
        """What everybody in the rooms of a subject is to be told."""
        here = [watcher for watcher in self.watchers if watcher.room.subject == subject]
        people = {watcher.person for watcher in here}
        told = {"type": "presence", "viewers": quantised(len({(watcher.process, watcher.person) for watcher in here}))}
        if subject:
            told |= {"home": "user:1" in people, "away": "user:2" in people}
        return told

    def assert_all_know(self) -> None:
        for watcher in self.watchers:
            assert watcher.last == self.truth(watcher.room.subject)

    def assert_seldom(self) -> None:
        for times in self.frames_at.values():
            assert all(later - earlier >= TELL_SECONDS for earlier, later in pairwise(times))
        for times in self.gossip_at.values():
            assert all(later - earlier >= GOSSIP_SECONDS for earlier, later in pairwise(times))
        for watcher in self.watchers:
            frames = [frame for _, frame in watcher.told]
            assert all(earlier != later for earlier, later in pairwise(frames))

    def _post(self, sender: Presence, messages: list[Gossip]) -> None:
        for gossip in messages:
            for process in self.processes:
                copies, late = 1, 0.0
                if self.random is not None and process is not sender:
                    copies = self.random.choice([0, 1, 1, 2])
                for _ in range(copies):
                    if self.random is not None:
                        late = self.random.choice([0.0, 0.0, 0.5, 3.0, 7.0])
                    self.under_way.append((self.now + late, process, gossip))


def viewers(watcher: Watcher) -> list[int]:
    return [frame["viewers"] for _, frame in watcher.told]


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, 0), (1, 1), (99, 99), (100, 100), (101, 100), (119, 110), (999, 990), (1234, 1200), (10_000, 10_000),
        (98_765, 98_000),
    ],
)  # fmt: skip
def test_the_number_is_exact_to_a_hundred_and_then_has_two_digits(count, told):
    assert quantised(count) == told


def test_a_person_counts_once_and_each_guest_by_themself_of_both_audiences_together():
    site = Site(1)
    watchers = [site.join(0, CUP, "user:1"), site.join(0, STAFF_CUP, "user:1"), site.join(0), site.join(0)]
    site.pass_time(SOON)
    assert {watcher.last["viewers"] for watcher in watchers} == {3}
    site.leave(watchers[0])
    site.pass_time(SOON)
    assert watchers[1].last["viewers"] == 3
    site.leave(watchers[1])
    site.leave(watchers[2])
    site.pass_time(SOON)
    assert viewers(watchers[3])[-1] == 1


def test_nobody_is_told_before_they_have_what_comes_first_and_then_at_once():
    site = Site(1)
    watcher = site.join(0, live=False)
    site.pass_time(5)
    assert watcher.told == []
    watcher.live = True
    site.pass_time(TICK_SECONDS)
    assert viewers(watcher) == [1]


def test_who_reads_too_slowly_hears_the_present_when_they_have_caught_up():
    site = Site(1)
    slow = site.join(0)
    site.pass_time(SOON)
    slow.live = False
    for _ in range(3):
        site.join(0)
        site.pass_time(SOON)
    assert viewers(slow) == [1]
    slow.live = True
    site.pass_time(SOON)
    assert viewers(slow) == [1, 4]


def test_nobody_is_told_what_they_know():
    site = Site(1)
    first = site.join(0)
    site.pass_time(60)
    assert viewers(first) == [1]
    crowd = [site.join(0) for _ in range(122)]
    site.pass_time(SOON)
    site.leave(crowd.pop())
    site.pass_time(60)
    assert viewers(first) == [1, 120]


def test_coming_and_going_twenty_times_a_second_is_told_once_a_second_at_most():
    site, random = Site(2), Random(1)
    first, elsewhere = site.join(0), site.join(1)
    site.pass_time(10)
    before, noisy = len(first.told), []
    for _ in range(int(30 / TICK_SECONDS)):
        for _ in range(int(20 * TICK_SECONDS)):
            if noisy and random.random() < 0.5:
                site.leave(noisy.pop())
            else:
                noisy.append(site.join(0))
        site.pass_time(TICK_SECONDS)
    assert 10 < len(first.told) - before <= 31
    assert 10 < len(elsewhere.told) - before <= 31
    site.assert_seldom()
    for one in noisy:
        site.leave(one)
    site.pass_time(5)
    assert first.last["viewers"] == elsewhere.last["viewers"] == 2


def test_a_player_is_here_from_the_first_connection_until_a_while_after_the_last():
    site = Site(1)
    watcher = site.join(0, MATCH)
    site.pass_time(SOON)
    assert watcher.last == {"type": "presence", "viewers": 1, "home": False, "away": False}
    tabs = [site.join(0, MATCH, "user:1") for _ in range(2)]
    site.pass_time(SOON)
    assert watcher.last == {"type": "presence", "viewers": 2, "home": True, "away": False}
    site.leave(tabs[0])
    site.pass_time(60)
    assert watcher.last["home"]
    site.leave(tabs[1])
    site.pass_time(GRACE_SECONDS - TICK_SECONDS)
    assert (watcher.last["viewers"], watcher.last["home"]) == (1, True)
    site.pass_time(SOON)
    assert not watcher.last["home"]


@pytest.mark.parametrize("back_at", [0, 1])
def test_a_player_who_reloads_is_here_all_the_while_whatever_process_they_come_back_to(back_at):
    site = Site(2)
    watchers = [site.join(0, MATCH), site.join(1, MATCH)]
    tab = site.join(0, MATCH, "user:2")
    site.pass_time(60)
    known = [len(watcher.told) for watcher in watchers]
    site.leave(tab)
    site.pass_time(GRACE_SECONDS / 2)
    site.join(back_at, MATCH, "user:2")
    site.pass_time(60)
    for watcher, before in zip(watchers, known, strict=True):
        assert all(frame["away"] for _, frame in watcher.told[before - 1 :])


def test_a_player_in_the_tournaments_room_is_not_in_the_matchs():
    site = Site(1)
    watcher = site.join(0, MATCH)
    site.join(0, CUP, "user:1")
    site.pass_time(SOON)
    assert (watcher.last["home"], watcher.last["viewers"]) == (False, 1)


def test_whoever_begins_to_watch_at_another_process_is_told_of_all_within_a_few_seconds():
    site = Site(3)
    for process in (0, 1):
        for _ in range(5):
            site.join(process)
    site.pass_time(REFRESH_SECONDS * 1.5)
    newcomer = site.join(2)
    site.pass_time(2 * GOSSIP_SECONDS + SOON)
    assert newcomer.last["viewers"] == 11


def test_a_process_that_leaves_says_so_and_one_that_is_killed_is_forgotten():
    site = Site(3)
    watcher, leaves = site.join(0), site.join(1)
    site.join(2)
    site.pass_time(REFRESH_SECONDS)
    assert watcher.last["viewers"] == 3
    site.leave(leaves)
    site.pass_time(SOON)
    assert watcher.last["viewers"] == 2
    site.kill(2)
    site.pass_time(EXPIRY_SECONDS - REFRESH_SECONDS - SOON)
    assert watcher.last["viewers"] == 2
    site.pass_time(REFRESH_SECONDS + 2 * SOON)
    assert watcher.last["viewers"] == 1


def test_a_process_says_what_it_left_even_when_it_stays_for_another_stream():
    site = Site(2)
    watcher, leaves = site.join(0), site.join(1)
    site.join(1, Room("tournament:8", "", "public"))
    site.pass_time(REFRESH_SECONDS)
    site.leave(leaves)
    site.pass_time(2 * SOON)
    assert watcher.last["viewers"] == 1


def test_nothing_is_kept_of_rooms_that_are_empty():
    site = Site(1)
    site.join(0, Room("tournament:8", "", "public"))
    for room, person in ((CUP, "guest"), (MATCH, "user:1")):
        watcher = site.join(0, room, person)
        site.pass_time(5)
        site.leave(watcher)
    site.pass_time(GRACE_SECONDS + REFRESH_SECONDS)
    assert list(site.processes[0]._streams) == ["tournament:8"]


def test_a_late_message_does_not_bring_back_what_was():
    process, watcher = Presence(), Watcher(Presence(), CUP, "guest:1")
    process.join(watcher, CUP, watcher.person)
    for number, rooms in ((1, {"": Counts(50)}), (3, {}), (2, {"": Counts(60)}), (3, {"": Counts(70)})):
        process.hear(Gossip("other", number, STREAM, rooms), 0.0)
    [(frame, _)] = process.look(0.0).frames
    assert frame.viewers == 1


def test_gossip_of_streams_that_nobody_watches_is_not_kept():
    process = Presence()
    process.hear(Gossip("other", 1, STREAM, {"": Counts(50)}), 0.0)
    assert not process._streams


@pytest.mark.parametrize(
    "gossip",
    [
        None, 5, b"", b"[", b"null", b"{}", b"\xff",
        b'{"process":"p","number":-1,"stream":"s","rooms":{}}',
        b'{"process":"p","number":1,"stream":"s","rooms":{"":{"viewers":-1}}}',
        b'{"process":"p","number":1,"stream":"s","rooms":{"":{"viewers":1e9}}}',
        b'{"process":"p","number":1,"stream":"s","rooms":{"":{"viewers":10000000000}}}',
        b'{"process":"p","number":1,"stream":"s","rooms":{"":{"viewers":1,"home":"yes"}}}',
        b'{"process":"' + b"p" * 65 + b'","number":1,"stream":"s","rooms":{}}',
        b'{"process":"p","number":1,"stream":"s","rooms":[]}',
    ],
)  # fmt: skip
def test_what_is_no_gossip_is_logged_and_left(gossip, caplog):
    assert presence.read({"gossip": gossip}) is None
    assert presence.read({}) is None
    assert caplog.text.count("gossip_unreadable") == 2


def test_gossip_reads_as_it_was_written():
    gossip = Gossip("p", 4, STREAM, {"": Counts(3), "match:5": Counts(2, home=True)})
    assert presence.read({"gossip": presence.encode(gossip)}) == gossip


def test_figures_count_people_by_the_kind_of_room():
    site = Site(1)
    for room, person in ((CUP, "user:1"), (STAFF_CUP, "user:1"), (CUP, "guest"), (MATCH, "user:1")):
        site.join(0, room, person)
    assert site.processes[0].viewers() == {("tournament",): 2, ("match",): 1}


PEOPLE = ["guest", "guest", "user:1", "user:2", "user:3"]
actions = st.one_of(
    st.tuples(st.just("join"), st.integers(0, 2), st.sampled_from([CUP, STAFF_CUP, MATCH]), st.sampled_from(PEOPLE)),
    st.tuples(st.just("leave"), st.integers(0, 99)),
    st.tuples(st.just("crowd"), st.integers(0, 2), st.integers(1, 150)),
    st.tuples(st.just("wait"), st.sampled_from([0.25, 0.5, 1.0, 3.0, 12.0])),
)
deaths = st.tuples(st.just("kill"), st.integers(0, 2))


def act(site: Site, action: tuple) -> None:
    match action:
        case ("join", process, room, person):
            site.join(process, room, person)
        case ("crowd", process, size):
            for _ in range(size):
                site.join(process)
        case ("leave", which) if site.watchers:
            site.leave(site.watchers[which % len(site.watchers)])
        case ("wait", seconds):
            site.pass_time(seconds)
        case ("kill", process):
            site.kill(process)


@given(st.lists(actions | deaths, max_size=30), st.randoms(use_true_random=False))
def test_whatever_happens_all_are_told_the_truth_in_the_end_and_seldom(happenings, random):
    site = Site(3, random)
    for action in happenings:
        act(site, action)
    site.random = None
    site.pass_time(10)  # what is under way arrives
    site.pass_time(EXPIRY_SECONDS + GRACE_SECONDS + SOON)
    site.assert_all_know()
    site.assert_seldom()


@given(st.lists(actions, max_size=30))
def test_on_a_bus_that_works_all_are_told_the_truth_within_seconds(happenings):
    site = Site(3)
    for action in happenings:
        act(site, action)
    site.pass_time(GRACE_SECONDS + 2 * GOSSIP_SECONDS + 2 * SOON)
    site.assert_all_know()
    site.assert_seldom()


@given(st.lists(actions, max_size=30), st.randoms(use_true_random=False))
def test_what_the_bus_loses_is_made_good_by_the_next_refresh(happenings, random):
    site = Site(3, random)
    everywhere = [
        site.join(process, room) for process in range(3) for room in (CUP, MATCH)
    ]  # so nobody leaves a stream
    for action in happenings:
        if action[0] != "leave" or (action[1] % len(site.watchers)) >= len(everywhere):
            act(site, action)
    site.random = None
    site.pass_time(10)
    site.pass_time(max(REFRESH_SECONDS, GRACE_SECONDS) + 2 * SOON)
    site.assert_all_know()
