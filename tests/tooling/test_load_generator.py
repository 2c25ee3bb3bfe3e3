"""The load generator of `make bench` has to see what a server does wrong, or its figures mean nothing."""

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from bench.peers.load import Load, build

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="it is written in C, and there is no gcc")

LOST, DOUBLED, CLOSES = 4, 6, 8
PEOPLE = 10


class Faulty:
    """Sends every message to everybody, but for the numbers above; and asks whether they are alive."""

    def __init__(self) -> None:
        self.people: set[ServerConnection] = set()
        self.answers: list[str] = []

    async def handle(self, connection: ServerConnection) -> None:
        if connection.request.path == "/pub":
            with suppress(ConnectionClosed):  # it hangs up without a close
                async for number in connection:
                    await self.publish(int(number))
            return
        self.people.add(connection)
        await connection.send("ping, please answer")
        with suppress(ConnectionClosed):
            async for text in connection:
                self.answers.append(text)

    async def publish(self, number: int) -> None:
        times = {LOST: 0, DOUBLED: 2}.get(number, 1)
        for connection in list(self.people):
            for _ in range(times):
                await connection.send(f'{{"seq":{number}}}')
        if number == CLOSES:
            connection = self.people.pop()
            await connection.close()


async def test_it_counts_what_is_lost_doubled_and_closed(tmp_path: Path) -> None:
    program = build("load.c", tmp_path)
    (tmp_path / "paths").write_text("/ws\n")
    server = Faulty()
    async with serve(server.handle, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        speech = ("--message", "SEQ", "--ping", "ping", "--pong", "pong", "--patience", "0.5")
        said = await asyncio.to_thread(talk, program, port, speech, tmp_path / "paths")
    assert said["connect"]["in"] == PEOPLE
    assert said["first"]["missing"] == 0
    paced = said["paced"]
    assert paced["missing"] == PEOPLE - 1  # the event that is lost, at those who are still there
    assert paced["gaps"] == PEOPLE
    assert paced["duplicates"] == PEOPLE
    assert paced["closed"] == 1
    assert server.answers == ["pong"] * PEOPLE


def talk(program: Path, port: int, speech: tuple[str, ...], paths: Path) -> dict[str, dict[str, int]]:
    with Load(program, port, speech) as load:
        load.tell("paths", paths)
        return {
            "connect": load.tell("connect", PEOPLE),
            "first": load.tell("once"),
            "paced": load.tell("paced", 100, 0.08),
        }
