"""Quick questions to the database, from an event loop, when many ask at once."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, ParamSpec, TypeVar

from channels.db import database_sync_to_async

P = ParamSpec("P")
T = TypeVar("T")

MOST = 50  # questions on one way through the thread: a few ms, after which others have their turn


class Together(Generic[P, T]):
    """
    A function that asks the database, to be awaited. Raises what the function raises.

    All questions go through one thread, and the way there and back costs more than a quick one. So those that come
    while others are on their way wait, and go together. Each is asked after it was put, never before.
    """

    def __init__(self, ask: Callable[P, T]) -> None:
        self._ask = ask
        self._waiting: list[tuple[asyncio.Future[T], Callable[[], T]]] = []
        self._going: asyncio.Task[None] | None = None

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((answer, partial(self._ask, *args, **kwargs)))
        if self._going is None:
            self._going = asyncio.create_task(self._go())
        return await answer

    async def _go(self) -> None:
        going: list[tuple[asyncio.Future[T], Callable[[], T]]] = []
        try:
            while self._waiting:
                going, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                results: Sequence[T | Exception]
                try:
                    results = await _ask_all([question for _, question in going])
                except Exception as error:  # noqa: BLE001 - for all who asked
                    results = [error] * len(going)
                for (answer, _), result in zip(going, results, strict=True):
                    if answer.done():  # whoever asked has gone
                        continue
                    if isinstance(result, Exception):
                        answer.set_exception(result)
                    else:
                        answer.set_result(result)
        finally:
            for answer, _ in (*going, *self._waiting):
                answer.cancel()  # nobody answers any more; does nothing to those that have their answer
            self._waiting, self._going = [], None


@database_sync_to_async
def _ask_all(questions: list[Callable[[], T]]) -> list[T | Exception]:
    return [_outcome(question) for question in questions]


def _outcome(question: Callable[[], T]) -> T | Exception:
    try:
        return question()
    except Exception as error:  # noqa: BLE001 - for whoever asked
        return error
