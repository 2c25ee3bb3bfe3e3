"""Many sends in one system call: every socket gets its frames, or it is said how much of them it took."""

import ctypes
import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.tournaments.realtime import uring
from apps.tournaments.realtime.uring import BUFFER, ENTRIES, Ring, open_ring

NO_FILE = 2**30


def failing(reason: int) -> Callable[..., int]:
    """Return a system call that fails."""

    def call(*_: object) -> int:
        ctypes.set_errno(reason)
        return -1

    return call


@pytest.fixture(scope="module")
def ring() -> Ring:
    """One for all tests, so its places have gone round many times."""
    ring = open_ring()
    if ring is None:
        pytest.skip("this kernel has no io_uring, or does not let us use it")
    return ring


class Pair:
    """A socket as the server has it, and its client's end."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        for end in (self.ours, self.theirs):
            end.setblocking(False)

    def read(self) -> bytes:
        got = b""
        with suppress(BlockingIOError):
            while part := self.theirs.recv(BUFFER):
                got += part
        return got

    def fill(self) -> None:
        """Take what the kernel takes for a client that does not read."""
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        with suppress(BlockingIOError):
            while True:
                self.ours.send(b"-" * 100)


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    pairs = [Pair() for _ in range(40)]
    yield pairs
    for pair in pairs:
        pair.ours.close()
        pair.theirs.close()


RUNS = st.lists(st.tuples(st.integers(1, 10), st.binary(min_size=1, max_size=3_000)), min_size=1, max_size=4)


def test_each_run_of_sockets_gets_its_frames_however_often_the_ring_goes_round(ring, pairs):
    @given(RUNS)
    def sends(runs: list[tuple[int, bytes]]) -> None:
        wanted = [frames for count, frames in runs for _ in range(count)]
        used = pairs[: len(wanted)]
        assert ring.send([pair.ours.fileno() for pair in used], runs) == {}
        assert [pair.read() for pair in used] == wanted

    sends()


def test_as_many_sockets_as_it_has_places_and_as_many_bytes_as_its_buffer(ring, pairs):
    half = BUFFER // 2
    files = [pairs[place % len(pairs)].ours.fileno() for place in range(ENTRIES)]
    assert ring.send(files, [(ENTRIES, b"x")]) == {}
    assert b"".join(pair.read() for pair in pairs) == b"x" * ENTRIES
    assert ring.send([pair.ours.fileno() for pair in pairs[:2]], [(1, b"a" * half), (1, b"b" * half)]) == {}
    assert [pair.read() for pair in pairs[:2]] == [b"a" * half, b"b" * half]


def test_who_cannot_take_it_is_named_at_once_and_keeps_nobody_waiting(ring, pairs):
    full, gone, healthy = pairs[:3]
    full.fill()
    gone.theirs.close()
    files = [full.ours.fileno(), healthy.ours.fileno(), gone.ours.fileno(), NO_FILE, healthy.ours.fileno()]
    assert ring.send(files, [(4, b"one"), (1, b"two")]) == {0: 0, 2: 0, 3: 0}
    assert healthy.read() == b"onetwo"


def test_of_who_takes_a_part_it_is_said_how_much(ring):
    frames = bytes(range(256)) * (BUFFER // 256)
    listener = socket.create_server(("127.0.0.1", 0))
    with listener, socket.create_connection(listener.getsockname()) as theirs, listener.accept()[0] as ours:
        ours.setblocking(False)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        rest = {}
        sent = b""
        while not rest:
            rest = ring.send([ours.fileno()], [(1, frames)])
            sent += frames[: rest.get(0, BUFFER)]
        assert rest[0] < BUFFER
        theirs.settimeout(10)
        got = b""
        while len(got) < len(sent):
            got += theirs.recv(BUFFER)
        assert got == sent


def test_one_that_the_kernel_refuses_says_that_nobody_took_anything_and_is_not_used_again(pairs, monkeypatch, ring):
    own = Ring()
    monkeypatch.setattr(uring, "_enter", failing(errno.EBUSY))
    assert own.send([pair.ours.fileno() for pair in pairs], [(40, b"x")]) == dict.fromkeys(range(40), 0)
    assert own.is_broken


def test_a_call_that_a_signal_interrupts_or_that_submits_a_part_goes_on(pairs, monkeypatch, ring):
    enter, calls = uring._enter, []

    def reluctant(number: int, file: int, count: int, *more: object) -> int:
        calls.append(count)
        if len(calls) == 1:
            ctypes.set_errno(errno.EINTR)
            return -1
        few = min(count, 15)
        return enter(number, file, few, few, *more[1:])

    monkeypatch.setattr(uring, "_enter", reluctant)
    assert ring.send([pair.ours.fileno() for pair in pairs], [(40, b"x")]) == {}
    assert calls == [40, 40, 25, 10]
    assert [pair.read() for pair in pairs] == [b"x"] * 40


@pytest.mark.parametrize("reason", [errno.EPERM, errno.ENOSYS, errno.ENOMEM])
def test_where_it_may_not_be_used_there_is_none_and_the_log_says_why(reason, monkeypatch, caplog):
    monkeypatch.setattr(uring, "_setup", failing(reason))
    assert open_ring() is None
    assert "io_uring_unavailable" in caplog.text


def test_there_is_none_where_the_settings_say_so_or_the_system_is_another(settings, monkeypatch):
    monkeypatch.setattr(uring, "_setup", lambda *_: pytest.fail("no other system has this call"))
    settings.WS_IO_URING = False
    assert open_ring() is None
    settings.WS_IO_URING = True
    monkeypatch.setattr("sys.platform", "darwin")
    assert open_ring() is None


def test_its_file_is_closed_when_it_is_forgotten(ring):
    own = Ring()
    file = own._file
    del own
    with pytest.raises(OSError, match="Bad file descriptor"):
        socket.socket(fileno=file)
