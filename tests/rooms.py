"""What tests of rooms share: the way in, and the frames that come first."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from websockets.exceptions import ConnectionClosed

from apps.accounts.models import User
from apps.accounts.tokens import issue_room_token
from tests import factories
from tests.server import DEADLINE, Client, client


def token_for(room: str, user: User | None = None) -> str:
    return issue_room_token(room, factories.signed_in(user) if user else None)[0]


@sync_to_async
def path(room: str, user: User | None = None, since: str = "") -> str:
    """Return the address of a room ("tournament:7") with a token; nobody is a guest."""
    kind, _, room_id = room.partition(":")
    return f"/ws/{kind}/{room_id}/?token={token_for(room, user)}" + (f"&since={since}" if since else "")


async def open_room(socket: Client) -> tuple[dict, dict]:
    """Return the welcome and the snapshot."""
    welcome, snapshot = await socket.receive(), await socket.receive()
    assert (welcome["type"], snapshot["type"]) == ("connection_established", "snapshot")
    socket.mine = snapshot["seq"]
    return welcome["data"], snapshot


async def refusal(address: str, path: str, **options) -> tuple[int, str]:
    """Return the close code and the text of the one frame before it."""
    async with client(address, path, **options) as socket, asyncio.timeout(DEADLINE):
        text = await socket.socket.recv()
        with pytest.raises(ConnectionClosed):
            await socket.socket.recv()
        return socket.socket.close_code, text


async def refused(address: str, path: str, **options) -> tuple[int, str]:
    """Return the close code and the error code of a connection that is refused so that a browser can read it."""
    code, text = await refusal(address, path, **options)
    error = json.loads(text)
    assert (error["type"], error["close_code"]) == ("error", code)
    return code, error["code"]


async def send_pings(socket: Client, count: int) -> None:
    for number in range(count):
        await socket.send("ping", f"p{number}")


async def answers(socket: Client, count: int) -> tuple[int, list[dict]]:
    """Return how many of the next `count` answers to pings are pongs, and the refusals."""
    pongs, refusals = 0, []
    while pongs + len(refusals) < count:
        frame = await socket.receive()
        pongs += frame["type"] == "pong"
        refusals += [frame] if frame["type"] == "error" else []
    return pongs, refusals
