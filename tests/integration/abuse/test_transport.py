"""Frames that break RFC 6455, and a socket without an address at the other end."""

import pytest
import uvicorn
from websockets.asyncio.client import unix_connect

from apps.tournaments.realtime.hub import hub
from apps.tournaments.realtime.server import Config
from tests.integration.realtime.door import path
from tests.integration.server.wire import CLOSE, CONT, PING, TEXT, Wire, frame, length
from tests.server import Client, serving, wait_for


def test_abuse_27_frames_that_the_rfc_forbids_1002(start):
    site = start()
    forbidden = {
        "a ping of 126 bytes": frame(PING, b"x" * 126),
        "a ping in fragments": frame(PING, b"x", fin=False),
        "a close in fragments": frame(CLOSE, b"\x03\xe8", fin=False),
        "RSV1": bytes([0xC0 | TEXT]) + frame(TEXT, b"x")[1:],
        "RSV2": bytes([0xA0 | TEXT]) + frame(TEXT, b"x")[1:],
        "RSV3": bytes([0x90 | TEXT]) + frame(TEXT, b"x")[1:],
        "opcode 3": frame(3, b"x"),
        "opcode 11": frame(11, b"x"),
        "not masked": bytes([0x80 | TEXT]) + length(1, masked=False) + b"x",
        "nothing to continue": frame(CONT, b"x"),
        "a message within a message": frame(TEXT, b"x", fin=False) + frame(TEXT, b"x"),
        "a close of one byte": frame(CLOSE, b"\x03"),
        **{
            f"close {code}": frame(CLOSE, code.to_bytes(2))
            for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000)
        },
    }
    for name, data in forbidden.items():
        with Wire(site.address).open("/echo") as client:
            client.send(data)
            assert client.close_code() == 1002, name


def test_abuse_28_bad_utf8_1007(start):
    site = start()
    euro = "€".encode()
    bad = {
        "a lone byte": frame(TEXT, b"\xff"),
        "cut off": frame(TEXT, euro[:2]),
        "cut off in fragments": frame(TEXT, euro[:1], fin=False) + frame(CONT, euro[1:2]),
        "before the message ends": frame(TEXT, b"x", fin=False) + frame(CONT, b"\xc3\x28", fin=False),
        "a surrogate": frame(TEXT, b"\xed\xa0\x80"),
        "too long a spelling": frame(TEXT, b"\xc0\xaf"),
        "beyond Unicode": frame(TEXT, b"\xf4\x90\x80\x80"),
        "in a reason": frame(CLOSE, b"\x03\xe8\xff"),
    }
    for name, data in bad.items():
        with Wire(site.address).open("/echo") as client:
            client.send(data)
            assert client.close_code() == 1007, name
    with Wire(site.address).open("/echo") as client:
        client.send(frame(TEXT, euro[:1], fin=False) + frame(CONT, euro[1:2], fin=False) + frame(CONT, euro[2:]))
        assert client.frame().payload == euro


@pytest.mark.django_db(transaction=True)
async def test_abuse_46_all_who_come_without_an_address_share_one_strict_budget(cup, settings, tmp_path):
    """As behind a proxy that speaks over a Unix socket: what the header says is not believed."""
    from deltacrown.asgi import application

    settings.WS_RATE_CONN_PER_IP = 2
    config = Config(application, timeout_graceful_shutdown=1)
    config.uds = str(tmp_path / "site")

    def visitor(number: int):
        headers = {"X-Forwarded-For": f"198.51.100.{number}"}
        uri = f"ws://localhost{path(cup)}"
        return unix_connect(config.uds, uri, origin="http://localhost", additional_headers=headers, compression=None)

    with serving(uvicorn.Server(config)):
        async with visitor(1) as one, visitor(2) as two, visitor(3) as three:
            for socket in (one, two):
                assert (await Client(socket).receive())["type"] == "connection_established"
            assert (await Client(three).receive())["code"] == "connection_limit_exceeded"
            assert await Client(three).closed() == 4008
    wait_for(lambda: not hub.connections)
