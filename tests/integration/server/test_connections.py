"""Clients that do not read, connections that end, and what the fan-out writes past the application."""

import socket
import time
from contextlib import ExitStack

from uvicorn.protocols.utils import ClientDisconnected
from websockets.sync.client import connect

from tests.integration.server.wire import CLOSE, TEXT, Wire, frame, server_frame, upgrade
from tests.server import wait_for

KIB = 1024


def test_abuse_40_a_client_that_reads_nothing_is_aborted_and_the_application_told(start):
    site = start(stall_seconds=0.4)
    started = time.monotonic()
    with Wire(site.address, receive_buffer=4 * KIB).open("/stream"), site.undisturbed():
        stalled = site.application.sockets[0]
        most = 0
        while stalled in site.protocols:
            most = max(most, stalled.transport.get_write_buffer_size())
            time.sleep(0.01)
        assert 0.35 < time.monotonic() - started < 2
        assert 0 < most <= site.config.limits.unsent_high + 17 * KIB
        wait_for(lambda: site.application.ended == [ClientDisconnected])


def test_abuse_41_a_client_that_reads_slowly_loses_nothing(start):
    site = start(stall_seconds=0.5)
    with Wire(site.address, receive_buffer=64 * KIB).open("/stream") as client:
        for number in range(100):
            assert int(client.frame().payload) == number
            time.sleep(0.01)


def test_what_is_left_when_the_application_has_closed_is_not_kept_for_ever(start):
    site = start(close_seconds=0.3)
    with Wire(site.address, receive_buffer=4 * KIB).open("/brim"):
        wait_for(site.application.sockets[0].buffered_bytes)
        started = time.monotonic()
        wait_for(site.is_empty)
        assert time.monotonic() - started < 2


def test_a_client_that_hangs_up_on_its_side_only_is_not_kept_for_ever(start):
    site = start(close_seconds=0.3)
    with Wire(site.address, receive_buffer=4 * KIB).open("/echo") as client:
        [websocket] = site.application.sockets
        while not websocket.buffered_bytes():
            site.in_loop(websocket.write, server_frame(b"x" * 8 * KIB))
        started = time.monotonic()
        client.socket.shutdown(socket.SHUT_WR)
        wait_for(site.is_empty)
        assert 0.25 < time.monotonic() - started < 2


def test_a_client_that_vanishes_is_1006_to_the_application(start):
    site = start()
    with Wire(site.address).open("/echo"):
        pass
    wait_for(site.is_empty)
    assert site.application.codes == [1006]


def test_the_application_gets_the_code_that_the_client_closes_with(start):
    site = start()
    for code in (1000, 4001):
        with Wire(site.address).open("/echo") as client:
            client.send(frame(CLOSE, code.to_bytes(2)))
            assert client.close_code() == code
    with Wire(site.address).open("/echo") as client:
        client.send(frame(CLOSE))
        assert client.frame().payload == b""
    wait_for(site.is_empty)
    assert site.application.codes == [1000, 4001, 1005]


def test_a_bug_in_the_application_is_1011_to_the_client(start, caplog):
    site = start()
    with Wire(site.address).open("/bug") as client:
        client.send(frame(TEXT, b"x") * 1000)
        assert client.frame().code == 1011
        client.send(frame(CLOSE, b"\x03\xf3"))
        assert client.rest() == b""
    assert "a bug" in caplog.text


def test_prepared_frames_are_written_between_the_application_s_messages(start):
    site = start()
    with connect(f"ws://{site.address}/echo") as client:
        [websocket] = site.application.sockets
        text = "é" * 40_000
        for prepared in ("one", text):
            client.send("first")
            assert client.recv() == "first"
            assert site.in_loop(websocket.write, server_frame(prepared.encode()))
            assert client.recv() == prepared
        assert site.in_loop(websocket.write, server_frame(b"a") + server_frame(b"b"))
        assert [client.recv(), client.recv()] == ["a", "b"]
        assert websocket.buffered_bytes() == 0


def test_no_prepared_frame_follows_a_close(start):
    site = start()
    with Wire(site.address).open("/echo") as client:
        [websocket] = site.application.sockets
        client.send(frame(15))
        assert client.close_code() == 1002
        assert not site.in_loop(websocket.write, server_frame(b"late"))
    wait_for(site.is_empty)
    assert not site.in_loop(websocket.write, server_frame(b"later"))
    assert websocket.buffered_bytes() == 0


def test_whoever_writes_without_looking_loses_the_connection_not_the_memory(start):
    site = start(unsent_most=256 * KIB)
    with Wire(site.address).open("/echo"):
        [websocket] = site.application.sockets

        def write() -> int:
            written = 0
            while websocket.write(server_frame(b"x" * 16 * KIB)):
                written += 16 * KIB
                assert written < 16 * KIB * KIB
            return websocket.buffered_bytes()

        assert site.in_loop(write) <= 256 * KIB + 17 * KIB
    wait_for(site.is_empty)


def test_an_aborted_connection_ends_without_a_close(start):
    site = start()
    with Wire(site.address).open("/echo") as client:
        site.in_loop(site.application.sockets[0].abort)
        assert client.rest() == b""
        wait_for(site.is_empty)
    assert site.application.codes == [1006]


def test_the_kernel_buffers_little_and_waits_for_nothing(start):
    site = start()
    with Wire(site.address).open("/echo"):
        [websocket] = site.websockets
        kernel = websocket.transport.get_extra_info("socket")
        assert kernel.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * 64 * KIB
        assert kernel.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert websocket.transport.get_write_buffer_limits() == (16 * KIB, 64 * KIB)


def test_abuse_31_compression_is_not_offered(start):
    site = start()
    with Wire(site.address) as client:
        client.send(upgrade("/echo", "Sec-WebSocket-Extensions: permessage-deflate\r\n"))
        head = client.head()
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"extensions" not in head.lower()
        client.send(bytes([0xC1, 0x80]) + bytes(4))  # RSV1: "compressed"
        assert client.close_code() == 1002


def test_abuse_42_clients_that_do_not_read_do_not_keep_the_server_from_stopping(start):
    site = start()
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(Wire(site.address, receive_buffer=4 * KIB).open("/stream"))
        wait_for(lambda: len(site.websockets) == 20 and all(one._is_paused for one in site.websockets))
        site.should_exit = True
        wait_for(site.is_empty)
    assert site.application.ended == [ClientDisconnected] * 20  # and not by the server's patience with its tasks


def test_a_client_that_closes_and_does_not_read_does_not_keep_the_server_from_stopping(start):
    site = start(close_seconds=0.3)
    with Wire(site.address, receive_buffer=4 * KIB).open("/echo") as client:
        [websocket] = site.application.sockets
        while not websocket.buffered_bytes():
            site.in_loop(websocket.write, server_frame(b"x" * 8 * KIB))
        client.send(frame(CLOSE, b"\x03\xe8"))
        wait_for(lambda: site.application.codes)
        site.should_exit = True
        wait_for(site.is_empty)
