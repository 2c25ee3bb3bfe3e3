"""Requests that do not end, or not in time, and upgrades that lead nowhere."""

import time

import pytest

from tests.integration.server.site import PAGE
from tests.integration.server.wire import CLOSE, PING, PONG, TEXT, Wire, frame, upgrade
from tests.server import wait_for

KIB = 1024
HELLO = b"GET /hello HTTP/1.1\r\nHost: test\r\n\r\n"


def trickle(client: Wire, text: bytes, *, pause: float = 0.02) -> None:
    """Send a byte at a time until the server has had enough, or all is sent."""
    for byte in text:
        try:
            client.send(bytes([byte]))
        except ConnectionError:
            return
        time.sleep(pause)


def test_abuse_38_a_silent_connection_is_closed(start):
    site = start(head_seconds=1)
    started = time.monotonic()
    with Wire(site.address) as client, site.undisturbed():
        assert client.rest() == b""
        assert 0.95 < time.monotonic() - started < 5  # a loop counts in whole milliseconds


@pytest.mark.parametrize("request_", [HELLO, upgrade("/echo")])
def test_abuse_37_a_head_that_comes_a_byte_at_a_time_408(start, request_):
    site = start(head_seconds=1)
    with Wire(site.address) as client, site.undisturbed():
        trickle(client, request_[:-1])
        assert client.head().startswith(b"HTTP/1.1 408 ")


def test_a_second_request_has_a_deadline_too(start):
    site = start(head_seconds=1)
    with Wire(site.address) as client, site.undisturbed():
        client.send(HELLO)
        assert client.head().startswith(b"HTTP/1.1 200 ")
        trickle(client, b"\r\n" * 100)
        assert b"HTTP/1.1 408 " in client.rest()


def test_a_kept_connection_serves_requests_for_longer_than_one_may_take(start):
    site = start(head_seconds=1, body_seconds=1)
    with Wire(site.address) as client:
        for _ in range(12):
            client.send(HELLO)
            assert client.head().startswith(b"HTTP/1.1 200 ")
            assert client._take(5) == b"hello"
            time.sleep(0.1)


def test_a_head_without_end_431(start):
    site = start()
    with Wire(site.address) as client, site.undisturbed():
        client.send(b"GET /hello HTTP/1.1\r\nCookie: ")
        client.flood(b"x" * KIB, seconds=0.1)
        assert client.head().startswith(b"HTTP/1.1 431 ")
    with Wire(site.address) as client:
        client.send(b"GET /hello HTTP/1.1\r\nHost: test\r\nCookie: " + b"x" * 12 * KIB + b"\r\n\r\n")
        assert client.head().startswith(b"HTTP/1.1 200 ")


def test_a_body_that_does_not_come_ends_the_request(start):
    site = start(body_seconds=0.3)
    with Wire(site.address) as client, site.undisturbed():
        client.send(b"POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n")
        trickle(client, b"x" * 100)
        wait_for(lambda: site.application.cancelled == 1)


def test_a_large_body_arrives(start):
    site = start()
    with Wire(site.address) as client, site.undisturbed():
        client.send(b"POST /upload HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % len(PAGE) + PAGE)
        assert client.head().startswith(b"HTTP/1.1 200 ")
        client.send(b"GET /hello HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        assert client.rest().startswith(str(len(PAGE)).encode() + b"HTTP/1.1 200 ")


def test_ten_thousand_requests_in_one_segment_are_served_in_turns(start):
    site = start()
    count = 10_000
    with Wire(site.address) as client, site.undisturbed():
        client.send(b"GET /hello HTTP/1.1\r\n\r\n" * (count - 1) + b"GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n")
        most = max(len(protocol.pipeline) for protocol in site.protocols if hasattr(protocol, "pipeline"))
        assert client.rest().count(b"HTTP/1.1 200 OK") == count
        assert most < 200


def test_a_page_that_is_not_read_is_given_up(start):
    site = start(stall_seconds=0.3)
    with Wire(site.address, receive_buffer=4 * KIB) as client, site.undisturbed():
        client.send(b"GET /page HTTP/1.1\r\nHost: test\r\n\r\n")
        client.head()
    with Wire(site.address, receive_buffer=4 * KIB) as client:
        client.send(b"GET /page HTTP/1.1\r\nHost: test\r\n\r\n")
        client.head()
        started = time.monotonic()
        wait_for(site.is_empty)
        assert time.monotonic() - started < 2


def test_a_page_that_is_read_slowly_is_not_given_up(start):
    site = start(stall_seconds=0.5)
    with Wire(site.address, receive_buffer=64 * KIB) as client:
        client.send(b"GET /page HTTP/1.1\r\nHost: test\r\n\r\n")
        client.head()
        for _ in range(8):
            assert len(client._take(len(PAGE) // 8)) == len(PAGE) // 8
            time.sleep(0.1)


def test_abuse_39_an_upgrade_that_the_application_does_not_answer_503(start, caplog):
    site = start(accept_seconds=0.3)
    with Wire(site.address) as client, site.undisturbed():
        client.send(upgrade("/never"))
        head = client.head()
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 5" in head
        assert client.rest() == b""
        wait_for(lambda: site.application.cancelled == 1)
    wait_for(site.is_empty)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_client_that_leaves_before_it_is_accepted_leaves_nothing(start):
    site = start()
    with Wire(site.address) as client:
        client.send(upgrade("/late"))
    wait_for(site.is_empty)


def test_what_a_client_sends_before_it_is_accepted_waits(start):
    site = start()
    with Wire(site.address) as client:
        client.send(upgrade("/late"))
        time.sleep(0.05)
        client.send(frame(PING, b"1") + frame(TEXT, b"2") + frame(CLOSE, b"\x03\xe8"))
        assert client.head().startswith(b"HTTP/1.1 101 ")
        received = client.frame()
        assert (received.opcode, received.payload) == (PONG, b"1")
        assert client.close_code() == 1000


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (upgrade("/echo").replace(b"GET", b"POST"), 405),
        (upgrade("/echo").replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
        (upgrade("/echo").replace(b"Version: 13", b"Version: 8"), 400),
        (upgrade("/echo").replace(b"Sec-WebSocket-Key", b"X"), 400),
        (upgrade("/echo", "Content-Length: 5\r\n") + b"hello", 400),
        (upgrade("/echo", "Transfer-Encoding: chunked\r\n") + b"0\r\n\r\n", 400),
        (upgrade("/echo", f"X: {'x' * 9000}\r\n"), 431),
        (upgrade("/echo", "X: x\r\n" * 200), 431),
        (upgrade("/echo?token=" + "x" * 9000), 414),
        (upgrade("/echo?token=" + "x" * 70_000), 431),
        (b"nonsense\r\n\r\n", 400),
    ],
    ids=[
        "post",
        "HTTP/1.0",
        "version",
        "no key",
        "body",
        "chunked",
        "long header",
        "many headers",
        "long token",
        "huge",
        "nonsense",
    ],
)
def test_abuse_63_an_upgrade_that_is_none_is_answered_and_closed(start, request_, status):
    site = start()
    with Wire(site.address) as client:
        client.send(request_)
        assert client.head().startswith(b"HTTP/1.1 %d " % status)
        client.rest()
