"""Questions that come while others are on their way go together, and each asker gets their own answer."""

import asyncio
import threading
from typing import Any

import pytest

from apps.tournaments.realtime import together
from apps.tournaments.realtime.together import MOST, Together
from tests.server import DEADLINE

pytestmark = pytest.mark.django_db(transaction=True)


class Asked:
    """Doubles numbers, and knows how many were on each way. What is no number is an error; "wait" waits for `go`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ways: list[int] = []
        self.there, self.go = threading.Event(), threading.Event()
        self.ask: Together[Any, Any] = Together(self._double)
        ask_all = together._ask_all

        async def counted(questions: list[Any]) -> list[Any]:
            self.ways.append(len(questions))
            return await ask_all(questions)

        monkeypatch.setattr(together, "_ask_all", counted)

    def _double(self, value: Any, *, times: int = 2) -> Any:
        if value == "wait":
            self.there.set()
            assert self.go.wait(DEADLINE)
        return int(value) * times if value != "wait" else "waited"

    async def wait(self) -> asyncio.Task[Any]:
        """Ask something that is not answered before `go`, and return when it is being asked."""
        task = asyncio.create_task(self.ask("wait"))
        while not self.there.is_set():  # noqa: ASYNC110 - set in a thread
            await asyncio.sleep(0.001)
        return task


@pytest.fixture
def asked(monkeypatch) -> Asked:
    return Asked(monkeypatch)


async def test_each_gets_their_own_answer(asked):
    assert await asked.ask(2) == 4
    assert await asked.ask(2, times=5) == 10
    assert await asyncio.gather(*(asked.ask(n) for n in range(20))) == [2 * n for n in range(20)]
    assert asked.ways == [1, 1, 20]


async def test_those_who_come_while_others_are_under_way_go_together(asked):
    first = await asked.wait()
    others = asyncio.gather(*(asked.ask(n) for n in range(5)))
    await asyncio.sleep(0)
    assert asked.ways == [1]
    asked.go.set()
    assert await first == "waited"
    assert await others == [0, 2, 4, 6, 8]
    assert asked.ways == [1, 5]


async def test_so_many_at_most(asked):
    assert await asyncio.gather(*(asked.ask(n) for n in range(2 * MOST + 1))) == [2 * n for n in range(2 * MOST + 1)]
    assert asked.ways == [MOST, MOST, 1]


async def test_an_error_is_for_whoever_asked(asked):
    answers = await asyncio.gather(asked.ask(1), asked.ask("x"), asked.ask(3), return_exceptions=True)
    assert [answers[0], type(answers[1]), answers[2]] == [2, ValueError, 6]
    with pytest.raises(ValueError, match="invalid literal"):
        await asked.ask("y")
    assert await asked.ask(4) == 8


async def test_who_goes_away_disturbs_nobody(asked):
    first = await asked.wait()
    waiting, stays = asyncio.create_task(asked.ask(1)), asyncio.create_task(asked.ask(2))
    await asyncio.sleep(0)
    for gone in (first, waiting):
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
    asked.go.set()
    assert await stays == 4


async def test_when_the_way_is_barred_all_hear_of_it(asked, monkeypatch):
    async def barred(_: list[Any]) -> list[Any]:
        message = "no thread"
        raise RuntimeError(message)

    with monkeypatch.context() as patch:
        patch.setattr(together, "_ask_all", barred)
        answers = await asyncio.gather(asked.ask(1), asked.ask(2), return_exceptions=True)
        assert [str(answer) for answer in answers] == ["no thread"] * 2
    assert await asked.ask(3) == 6


def test_the_end_of_an_event_loop_leaves_nobody_waiting(asked):
    async def leave() -> None:
        await asked.wait()
        for n in range(3):
            asyncio.create_task(asked.ask(n))  # noqa: RUF006 - ends with the loop
        await asyncio.sleep(0)
        threading.Timer(0.05, asked.go.set).start()  # the loop has ended by then, and waits for its threads

    asyncio.run(leave())
    assert asyncio.run(asked.ask(3)) == 6
