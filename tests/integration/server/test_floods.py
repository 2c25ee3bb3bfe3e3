"""Clients that send too much, or never what they have begun."""

import pytest

from tests.integration.server.wire import BINARY, CLOSE, CONT, PING, PONG, TEXT, Wire, frame
from tests.server import wait_for

KIB = 1024


def test_abuse_30_twenty_thousand_messages_in_one_segment_are_taken_in_turns(start):
    site = start()
    messages = [b"%d" % number for number in range(20_000)]
    with Wire(site.address).open("/echo") as client, site.undisturbed():
        client.send(b"".join(frame(TEXT, message) for message in messages[:10_000]))
        client.send(b"".join(frame(TEXT, message) for message in messages[10_000:]))
        assert [client.frame().payload for _ in messages] == messages


def test_messages_that_the_application_does_not_take_wait_with_the_client(start):
    site = start()
    with Wire(site.address).open("/deaf") as client, site.undisturbed():
        gone = client.flood(frame(TEXT, b"x") * 20_000, seconds=0.2)
        assert not gone
        waiting = site.application.sockets[0]
        limits = site.config.limits
        assert waiting.receiver.backlog() <= limits.waiting_messages + limits.at_once // len(frame(TEXT, b"x"))
        assert len(waiting._unparsed) <= 512 * KIB  # what the loop reads at once
        site.in_loop(site.application.sockets[0].abort)
        site.in_loop(site.application.listen.set)


def test_every_message_that_waited_is_delivered_in_order(start):
    site = start()
    with Wire(site.address).open("/deaf") as client:
        client.send(b"".join(frame(TEXT, b"%d" % number) for number in range(5_000)))
        site.in_loop(site.application.listen.set)
        wait_for(lambda: len(site.application.received) == 5_000)
        assert site.application.received == [str(number) for number in range(5_000)]
        client.send(frame(CLOSE, b"\x03\xe8"))
        assert client.close_code() == 1000


def test_a_flood_of_pings_is_closed_1008(start):
    site = start(linger_seconds=0.1)
    with Wire(site.address).open("/echo") as client, site.undisturbed():
        client.flood(frame(PING, b"x" * 125) * 100, seconds=0.2)
        assert client.close_code() == 1008
        wait_for(lambda: len(site.protocols) == 1)


def test_pings_that_keep_within_the_budget_are_answered(start):
    site = start()
    with Wire(site.address).open("/echo") as client:
        client.send(frame(PING, b"y") * site.config.limits.control_frames)
        for _ in range(site.config.limits.control_frames):
            assert client.frame().opcode == PONG


def test_abuse_26_a_client_that_pings_and_reads_no_pong_is_read_no_more_and_then_aborted(start):
    site = start(control_frames=10**9, stall_seconds=0.6)
    with Wire(site.address, receive_buffer=4 * KIB).open("/echo") as client, site.undisturbed():
        attacked = site.application.sockets[0]
        most = 0
        while not client.flood(frame(PING, b"x" * 125) * 500, seconds=0.05) and attacked in site.protocols:
            most = max(most, attacked.transport.get_write_buffer_size())
        limits = site.config.limits
        assert limits.unsent_high < most <= limits.unsent_high + limits.at_once
        assert attacked not in site.protocols


@pytest.mark.parametrize("part", [b"", b"x"])
def test_abuse_25_endless_fragments_are_closed_1008(start, part):
    site = start()
    with Wire(site.address).open("/echo") as client, site.undisturbed():
        client.send(frame(TEXT, part, fin=False))
        client.flood(frame(CONT, part, fin=False) * 10_000, seconds=0.1)
        assert client.close_code() == 1008


def test_a_message_may_have_64_fragments(start):
    site = start()
    with Wire(site.address).open("/echo") as client:
        for _ in range(2):
            client.send(frame(TEXT, b"0", fin=False) + frame(CONT, b"1", fin=False) * 62 + frame(CONT, b"2"))
            assert client.frame().payload == b"0" + b"1" * 62 + b"2"


@pytest.mark.parametrize("size", [64 * KIB + 1, 2**63 - 1, 2**64 - 1])
def test_abuse_24_a_client_that_announces_a_huge_frame_and_sends_on_reads_1009(start, size):
    site = start()
    with Wire(site.address).open("/echo") as client, site.undisturbed():
        client.send(bytes([0x80 | BINARY, 0x80 | 127]) + size.to_bytes(8) + bytes(4))
        client.send(bytes(512 * KIB))
        assert client.close_code() == 1009


def test_fragments_that_add_up_to_too_much_1009(start):
    site = start()
    with Wire(site.address).open("/echo") as client:
        client.send(frame(TEXT, b"x" * 32 * KIB, fin=False) + frame(CONT, b"x" * 32 * KIB, fin=False))
        client.send(frame(CONT, b"x"))
        assert client.close_code() == 1009


def test_64_kib_are_not_too_much(start):
    site = start()
    with Wire(site.address).open("/echo") as client:
        client.send(frame(TEXT, b"x" * 64 * KIB))
        assert len(client.frame().payload) == 64 * KIB


def test_a_client_that_is_thrown_out_and_does_not_go_is_aborted(start):
    site = start(linger_seconds=0.2)
    with Wire(site.address).open("/echo") as client, site.undisturbed():
        client.send(frame(15))
        client.flood(bytes(64 * KIB), seconds=2)
        wait_for(lambda: len(site.protocols) == 1)


def test_a_client_that_floods_instead_of_answering_a_close_is_aborted(start):
    site = start(close_seconds=0.4)
    with Wire(site.address).open("/bug") as client, site.undisturbed():
        assert client.flood(frame(TEXT, b"x") * 10_000, seconds=5)
        wait_for(lambda: len(site.protocols) == 1)


def test_bad_utf8_and_a_close_in_one_segment_1007(start, caplog):
    site = start()
    with Wire(site.address).open("/echo") as client:
        client.send(frame(TEXT, b"\xff") + frame(CLOSE, b"\x03\xe8"))
        assert client.close_code() == 1007
    assert "data_received" not in caplog.text
