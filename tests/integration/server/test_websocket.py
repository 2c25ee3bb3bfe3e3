"""A WebSocket that goes on without its application, and the parsers that all of them share."""

import pytest
from websockets.sync.client import connect

from tests.integration.server.wire import CLOSE, CONT, PING, PONG, TEXT, Wire, frame, upgrade
from tests.server import wait_for


def test_it_goes_on_when_the_application_has_returned(start):
    site = start()
    with connect(f"ws://{site.address}/taken", compression=None) as client:
        wait_for(lambda: not site.server_state.tasks)
        for text in ("one", "é" * 20_000):
            client.send(text)
            assert client.recv() == text
        client.send(b"\x00\xff")
        assert client.recv() == b"\x00\xff"
    wait_for(lambda: site.application.codes == [1000])


def test_what_came_before_it_was_taken_over_is_not_lost(start):
    site = start()
    with Wire(site.address).open("/taken/late") as client:
        client.send(frame(TEXT, b"early") + frame(TEXT, b"bird"))
        assert [client.frame().payload, client.frame().payload] == [b"early", b"bird"]


def test_a_connection_at_rest_has_no_parser(start):
    site = start()
    with connect(f"ws://{site.address}/taken", compression=None) as client:
        client.send("x")
        assert client.recv() == "x"
        [websocket] = site.websockets
        assert websocket._parser is None
        assert len(site.config.parsers._idle) == 1


@pytest.mark.parametrize("cut", range(1, 12))
def test_one_parser_serves_many_and_none_gets_anothers_bytes_however_frames_are_cut(start, cut):
    site = start()
    whole = frame(TEXT, b"hello") + frame(PING, b"p") + frame(TEXT, b"wor", fin=False) + frame(CONT, b"ld")
    with Wire(site.address).open("/taken") as one, Wire(site.address).open("/taken") as other:
        for client in (one, other):
            client.send(whole[:cut])
        for client in (one, other):
            client.send(whole[cut:])
            answers = [client.frame() for _ in range(3)]
            assert [answer.payload for answer in answers if answer.opcode == TEXT] == [b"hello", b"world"]
            assert [answer.payload for answer in answers if answer.opcode == PONG] == [b"p"]


def test_an_application_that_takes_over_too_early_is_refused_in_http(start):
    site = start()
    with Wire(site.address) as client:
        client.send(upgrade("/early"))
        assert client.head().startswith(b"HTTP/1.1 500 ")
    assert site.application.codes == []


def test_a_server_that_stops_closes_it_1012(start):
    site = start()
    with Wire(site.address).open("/taken") as client:
        wait_for(lambda: site.websockets)
        site.should_exit = True
        assert client.close_code() == 1012
        client.send(frame(CLOSE, b"\x03\xf4"))
        wait_for(lambda: site.application.codes == [1012])
