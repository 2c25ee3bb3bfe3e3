"""At the door of a room: tokens, addresses, and how a refusal is read."""

import asyncio
import json

import pytest
from websockets.exceptions import ConnectionClosed

from apps.accounts.tokens import issue_room_token
from tests import factories
from tests.server import DEADLINE, client


def token_for(room: str, user=None) -> str:
    return issue_room_token(room, factories.signed_in(user) if user else None)[0]


def path(cup, holder=None) -> str:
    """Return the address of a tournament's room, with a token for whoever `holder` is; None is a guest."""
    return with_token(cup, issue_room_token(cup.stream, holder)[0])


def with_token(cup, token: str) -> str:
    return f"/ws/tournament/{cup.pk}/?token={token}"


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
