"""
No event of one tournament, match or audience reaches another's room: live, replayed or in a snapshot.

People come, go, come back to where they were, join and leave the staff, while tournaments go on and the bus loses,
doubles and reorders what it carries. Every frame is judged by the log in the database and a rule of this file's own.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from copy import deepcopy
from io import StringIO
from typing import Any

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.eventlog import log
from apps.tournaments.models import Entry, Match, Role, Tournament
from apps.tournaments.realtime.hub import hub
from apps.tournaments.realtime.rooms import RoomName
from apps.tournaments.selectors.snapshots import match_snapshot, tournament_snapshot
from apps.tournaments.services import Actor, matches, tournaments
from engine.match_flow import Score
from engine.projection import apply
from tests import factories
from tests.integration.realtime.visitor import Visitor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("every_score")]

WALKS, STEPS = 5, 2000
CROWD = 40
STAFF_EVENTS = ("member_added", "member_removed")


class Happened(msgspec.Struct, frozen=True):
    seq: int
    type: str
    data: dict[str, Any]
    audience: str

    def concerns(self, room: RoomName) -> bool:
        """The rule of docs/protocol.md."""
        match = self.data.get("match", {}).get("id")
        return room.kind == "tournament" or self.type.startswith(("tournament_", "stage_")) or match == room.id


class Truth:
    """What the database says: every event of every tournament, who was on the staff after it, and whose each row is."""

    def __init__(self) -> None:
        self.events: dict[int, list[Happened]] = {}
        self.staff: dict[int, list[frozenset[int]]] = {}

    def read(self) -> None:
        for cup in Tournament.objects.all():
            events = self.events.setdefault(cup.pk, [])
            staff = self.staff.setdefault(cup.pk, [frozenset()])
            for event in log.read(cup.stream, after=len(events), limit=10**6):
                data = msgspec.json.decode(event.data)
                events.append(Happened(event.seq, event.type, data, event.audience))
                now = staff[-1]
                if event.type == "member_added":
                    now |= {data["member"]["id"]}
                elif event.type == "member_removed":
                    now -= set(data["removed"]["staff"])
                staff.append(now)
            assert [event.seq for event in events] == list(range(1, len(events) + 1))
        self.cup_of_match = dict(Match.objects.values_list("pk", "tournament_id"))
        self.cup_of_entry = dict(Entry.objects.values_list("pk", "tournament_id"))


class Judged(Visitor):
    """A client that keeps to the protocol's one rule, and the judge of its frames."""

    def __init__(self, walk: "Walk", room: RoomName, user: User | None, since: str, state: Any = None) -> None:
        super().__init__(room, user, since)
        self.walk, self.truth, self.cup = walk, walk.truth, walk.cup_of(room)
        self.heads: list[int] = []  # for each frame, what had been committed when it came
        self.judged = 0
        self.mine, self.state, self.is_staff = -1, state, False

    def take(self, frame: dict[str, Any]) -> None:
        super().take(frame)
        self.heads.append(self.walk.committed[self.cup])

    def judge(self) -> None:
        for frame, head in zip(self.frames[self.judged :], self.heads[self.judged :], strict=True):
            match frame["type"]:
                case "connection_established":
                    self._judge_welcome(frame["data"], head)
                case "snapshot":
                    self._judge_snapshot(frame, head)
                case "error":
                    assert frame["close_code"] in (4404, 4500), frame
                case "pong":
                    pass
                case _:
                    self._judge_event(frame, head)
        self.judged = len(self.frames)

    def judge_state(self, expected: Callable[[RoomName, bool], Any]) -> None:
        """See that what belongs has come, all of it."""
        assert self.is_staff == ((self.user and self.user.pk) in self.truth.staff[self.cup][-1])
        assert self._last_before(len(self.truth.events[self.cup]) + 1) <= self.mine
        assert self.state is None or self.state == expected(self.room, self.is_staff)

    def _judge_welcome(self, welcome: dict[str, Any], head: int) -> None:
        assert welcome["tournament_id"] == self.cup
        assert welcome.get("match_id") == (self.room.id if self.room.kind == "match" else None)
        self.is_staff = welcome["role"] in ("referee", "organizer")
        assert not self.is_staff or self._was_staff(welcome["seq"], head)
        if welcome["resumed"]:
            epoch, _, seq = self.since.partition(":")
            assert welcome["epoch"] == epoch
            self.mine = int(seq)

    def _judge_snapshot(self, frame: dict[str, Any], head: int) -> None:
        data = frame["data"]
        assert data["tournament"]["id"] == self.cup
        assert {self.truth.cup_of_match[int(pk)] for pk in data["matches"]} <= {self.cup}
        assert {self.truth.cup_of_entry[int(pk)] for pk in data["entries"]} <= {self.cup}
        if self.room.kind == "match":
            assert list(data["matches"]) == [str(self.room.id)]
        if self.room.kind == "tournament" and self.is_staff:
            assert {int(pk) for pk in data["staff"]} == self.truth.staff[self.cup][frame["seq"]]
            assert self._was_staff(frame["seq"], head)
        else:
            assert data["staff"] == {}
        self.mine, self.state = frame["seq"], data

    def _judge_event(self, frame: dict[str, Any], head: int) -> None:
        event = self.truth.events[self.cup][frame["seq"] - 1]
        assert (frame["type"], frame["data"]) == (event.type, event.data), "an event of another tournament"
        assert self._may_see(event), "an event of another room or audience"
        if event.type in STAFF_EVENTS:
            assert self._was_staff(event.seq - 1, head), "an event for the staff"
        if event.seq > self.mine:
            assert frame["prev"] <= self.mine, "a hole"
            assert self._last_before(event.seq) <= self.mine, "a hole that `prev` hides"
            self.mine = event.seq
            if self.state is not None:
                apply(self.state, frame["data"])

    def _may_see(self, event: Happened) -> bool:
        is_for = event.audience == "public" or (event.audience == "staff" and self.is_staff)
        return is_for and (self.is_staff or event.type not in STAFF_EVENTS) and event.concerns(self.room)

    def _last_before(self, seq: int) -> int:
        return next((e.seq for e in reversed(self.truth.events[self.cup][: seq - 1]) if self._may_see(e)), 0)

    def _was_staff(self, after: int, until: int) -> bool:
        """Return whether the person was on the staff at any moment between two positions of the log."""
        return any((self.user and self.user.pk) in staff for staff in self.truth.staff[self.cup][after : until + 1])


class Walk:
    """A random walk over everything that people, tournaments and the bus can do."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.truth = Truth()
        self.visitors: list[Judged] = []
        self.gone: list[Judged] = []
        self.hints: list[list[log.Recorded]] = []
        self.committed: dict[int, int] = {}
        self.running: set[asyncio.Task[Any]] = set()
        cups = [factories.drawn(8), factories.drawn(4), factories.fresh(factories.make_tournament())]
        self.cups = cups
        self.users = [factories.make_user() for _ in range(5)] + [cup.created_by for cup in cups]
        for match in Match.objects.filter(state="ready").select_related("tournament__created_by"):
            matches.start(Actor(match.tournament.created_by), match.pk)
        self.rooms = [RoomName("tournament", cup.pk) for cup in cups for _ in range(3)]
        self.rooms += [RoomName("match", pk) for pk in Match.objects.values_list("pk", flat=True)]
        self.truth.read()
        self.committed = {cup: len(events) for cup, events in self.truth.events.items()}
        self.read_epochs()

    def cup_of(self, room: RoomName) -> int:
        return room.id if room.kind == "tournament" else self.truth.cup_of_match[room.id]

    def carry(self, events: list[log.Recorded]) -> None:
        """Be the bus: take what was committed, and give it to the hub when it pleases."""
        kind, _, pk = events[0].stream.partition(":")
        if kind == "tournament":
            self.committed[int(pk)] = max(self.committed[int(pk)], events[-1].seq)
        self.hints.append(events)

    async def run(self) -> None:
        steps = self.rng.choices(list(self.STEPS), weights=list(self.STEPS.values()), k=STEPS)
        for number, step in enumerate(steps, start=1):
            await step(self)
            for _ in range(self.rng.choice([0, 0, 1, 3, 10])):
                await asyncio.sleep(0)
            if number % 200 == 0:
                await self.judge()
        for visitor in self.visitors:
            visitor.leave(self.rng.choice(["close", "vanish", "cancel"]))
        await asyncio.gather(*(visitor.task for visitor in self.visitors), return_exceptions=True)

    async def judge(self) -> None:
        """Let everything come to rest, and judge every frame since the last time."""
        await asyncio.gather(*self.running)
        await hub.compare()
        for _ in range(2):  # the first answer says that somebody has arrived, the second that they have all that is new
            await asyncio.gather(*(visitor.settle() for visitor in self.visitors))
            await hub.compare()
        await sync_to_async(self._judge_all)()
        self.gone = [*self.gone, *(visitor for visitor in self.visitors if visitor.task.done())][-20:]
        self.visitors = [visitor for visitor in self.visitors if not visitor.task.done()]

    def _judge_all(self) -> None:
        self.truth.read()
        states: dict[tuple[RoomName, bool], Any] = {}

        def expected(room: RoomName, is_staff: bool) -> Any:  # noqa: FBT001
            if (room, is_staff) not in states:
                audience = "staff" if is_staff else "public"
                match = room.kind == "match"
                snapshot = match_snapshot(room.id) if match else tournament_snapshot(room.id, audience=audience)
                states[room, is_staff] = snapshot.data
            return states[room, is_staff]

        for visitor in self.visitors:
            visitor.judge()
            if not visitor.task.done():
                visitor.judge_state(expected)

    # Steps

    async def come(self) -> None:
        """Come for the first time, or with a position that is anybody's: too old, too new, of another tournament."""
        if len(self.visitors) >= CROWD:
            return
        room, user = self.rng.choice(self.rooms), self.rng.choice([None, *self.users])
        cup, since = self.cup_of(room), ""
        if self.rng.random() < 0.5:
            one, other = (cup if self.rng.random() < 0.8 else self.rng.choice(self.cups).pk for _ in range(2))
            seq = self.committed[other] - self.rng.choice([-5, 0, 1, 2, 5, 20, 200])
            since = f"{self.epochs[one]}:{max(0, seq)}"
        self.visitors.append(Judged(self, room, user, since))

    async def come_back(self) -> None:
        """Come back with what one had, as whoever one is now."""
        if self.gone and len(self.visitors) < CROWD:
            before = self.gone.pop(self.rng.randrange(len(self.gone)))
            since = f"{self.epochs[before.cup]}:{before.mine}" if before.state else ""
            self.visitors.append(Judged(self, before.room, before.user, since, deepcopy(before.state)))

    async def leave(self) -> None:
        if here := [visitor for visitor in self.visitors if not visitor.task.done()]:
            self.rng.choice(here).leave(self.rng.choice(["close", "vanish", "cancel"]))

    async def resync(self) -> None:
        if self.visitors:
            self.rng.choice(self.visitors).say("resync")

    async def play(self) -> None:
        await self._do(_play, self.rng.choice(self.cups[:2]), self.rng.random())

    async def edit(self) -> None:
        cup = self.rng.choice(self.cups)
        await self._do(tournaments.edit, Actor(cup.created_by), cup.pk, name=f"Cup {self.rng.random()}")

    async def staff(self) -> None:
        await self._do(_staff, self.rng.choice(self.cups), self.rng.choice(self.users[:5]))

    async def whisper(self) -> None:
        await self._do(_whisper, self.rng.choice(self.cups), self.rng.choice(self.users))

    async def deliver(self) -> None:
        """Pass hints on, late, some of them twice, in any order."""
        if self.hints:
            some = self.rng.choices(self.hints, k=self.rng.randint(1, 4))
            for hint in some:
                hub.receive(self.rng.sample(hint, len(hint)))
            self.hints = [hint for hint in self.hints if hint not in some or self.rng.random() < 0.3]

    async def lose(self) -> None:
        self.hints.clear()

    async def compare(self) -> None:
        self._beside(hub.compare())

    async def restore(self) -> None:
        """Start new epochs, as after restoring a backup. What was seen before is of no use."""
        await sync_to_async(call_command)("new_epoch", stdout=StringIO())
        await sync_to_async(self.read_epochs)()
        self.gone.clear()

    STEPS = {
        come: 14, come_back: 12, leave: 18, resync: 4, play: 12, edit: 1, staff: 4, whisper: 1, deliver: 28, lose: 1,
        compare: 4, restore: 0.05,
    }  # fmt: skip

    async def _do(self, service: Callable[..., Any], *arguments: Any, **keywords: Any) -> None:
        """Run a command, often beside what comes next."""
        command = sync_to_async(service)(*arguments, **keywords)
        if self.rng.random() < 0.5:
            self._beside(command)
        else:
            await command

    def _beside(self, coroutine: Awaitable[Any]) -> None:
        task = asyncio.ensure_future(coroutine)
        self.running.add(task)
        task.add_done_callback(self.running.discard)

    def read_epochs(self) -> None:
        positions = log.positions([cup.stream for cup in self.cups])
        self.epochs = {cup.pk: positions[cup.stream].epoch for cup in self.cups}


def _play(cup: Tournament, chance: float) -> None:
    """Most often a goal; now and then a match ends, as long as another one is in play, and the next begins."""
    referee = Actor(cup.created_by)
    live = list(cup.matches.filter(state="live").order_by("pk"))
    match = live[int(chance * 1000) % len(live)]
    if len(live) > 1 and chance < 0.02:
        matches.finish(referee, match.pk, Score(2, 1))
        for ready in cup.matches.filter(state="ready"):
            matches.start(referee, ready.pk)
    else:
        matches.update_score(referee, match.pk, Score((match.home_score + 1) % 900, match.away_score))


def _staff(cup: Tournament, user: User) -> None:
    organizer = Actor(cup.created_by)
    if cup.members.filter(user=user).exists():
        tournaments.remove_member(organizer, cup.pk, user.pk)
    else:
        tournaments.add_member(organizer, cup.pk, username=user.username, role=Role.REFEREE)


def _whisper(cup: Tournament, user: User) -> None:
    """Append an event for one person alone, of which no room may know."""
    event = log.NewEvent(type="tournament_whispered", data="{}", audience=f"user:{user.pk}")
    with transaction.atomic():
        log.append(cup.stream, [event], at=timezone.now())


@pytest.mark.parametrize("seed", range(WALKS))
async def test_every_frame_belongs_and_none_is_missing_on_ten_thousand_random_steps(seed, monkeypatch):
    walk = await sync_to_async(Walk)(seed)
    monkeypatch.setattr(log, "_sinks", lambda: (walk.carry,))
    monkeypatch.setattr("apps.tournaments.realtime.hub.get_channel_layer", lambda: None)
    monkeypatch.setattr("apps.tournaments.realtime.hub.REORDER_SECONDS", 0.001)
    await walk.run()
    assert not hub.connections
    assert not hub.feeds
