"""Refusals in HTTP, by servers that can give one and by those that can only close."""

import pytest

from apps.tournaments.realtime.middleware import RoomMiddleware
from apps.tournaments.realtime.middleware_ratelimit import HandshakeMiddleware, limits
from tests.asgi import Socket, nobody, scope_of

CAN_ANSWER = {"extensions": {"websocket.http.response": {}}}


@pytest.fixture(autouse=True)
def no_handshakes(settings) -> None:
    settings.REDIS_URL = ""
    settings.WS_RATE_HANDSHAKE_RPS_IP = 0
    limits.cache_clear()
    yield
    limits.cache_clear()


def answer(status: int, *headers: tuple[bytes, bytes]) -> list[dict]:
    return [
        {"type": "websocket.http.response.start", "status": status, "headers": list(headers)},
        {"type": "websocket.http.response.body", "body": b""},
    ]


@pytest.mark.parametrize(("can", "sent"), [(CAN_ANSWER, answer(404)), ({}, [{"type": "websocket.close"}])])
async def test_an_address_without_a_room(can, sent):
    scope = scope_of("tournament:7", path="/ws/other/7/", **can)
    assert await Socket(RoomMiddleware(nobody), scope).end() == sent


@pytest.mark.parametrize(
    ("can", "sent"), [(CAN_ANSWER, answer(429, (b"retry-after", b"3600"))), ({}, [{"type": "websocket.close"}])]
)
async def test_too_many_handshakes(can, sent):
    scope = scope_of("tournament:7", **can)
    assert await Socket(HandshakeMiddleware(nobody), scope).end() == sent
