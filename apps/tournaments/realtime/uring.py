"""
One system call that writes the same bytes to hundreds of sockets: Linux's io_uring, where it may be used.

With a call for each socket the kernel's entry and exit and the interpreter's way there take their time, and displace
from the caches what the next socket needs: a quarter of what 10,000 deliveries cost (bench/RESULTS.md). Nothing is ever
left under way: a send that would have to wait is not taken, so when the call returns the kernel knows of no buffer.

The structures are those of linux/io_uring.h, of Linux 5.6 and later. A container or an administrator may forbid it
(seccomp, kernel.io_uring_disabled); then there is no ring, and sockets are written to one by one.
"""

import ctypes
import errno
import mmap
import os
import socket
import struct
import sys
import weakref
from array import array
from collections.abc import Iterator, Sequence

import structlog
from django.conf import settings

ENTRIES = 512
BUFFER = 64 * 1024  # bytes

_SETUP, _ENTER = 425, 426  # the same numbers on every architecture
_SEND = 26
_GET_EVENTS = 1
_SINGLE_MMAP = 1
_RINGS_AT, _ENTRIES_AT = 0, 0x1000_0000
_PARAMS = struct.Struct("=10I 8I8x 8I8x")  # io_uring_params, with what it says of the two rings
_ENTRY = struct.Struct("=BBHiQQIIQ24x")  # io_uring_sqe: opcode … fd, off, addr, len, msg_flags, user_data
_ENTRY_WORDS, _FILE, _ADDRESS, _LENGTH = 16, 1, 4, 6  # an entry in words of 32 bits, and where some of them are
_RESULT_SIZE = 16  # io_uring_cqe: user_data, of 64 bits, res, flags
_WORD = 0xFFFF_FFFF  # what the rings' counters wrap at

logger = structlog.get_logger(__name__)

_libc = ctypes.CDLL(None, use_errno=True)
_setup, _enter = _libc["syscall"], _libc["syscall"]
_setup.argtypes = [ctypes.c_long, ctypes.c_uint, ctypes.c_char_p]
_enter.argtypes = [ctypes.c_long, *[ctypes.c_uint] * 4, ctypes.c_void_p, ctypes.c_size_t]
_setup.restype = _enter.restype = ctypes.c_long


class Ring:
    """
    For one thread, which it never keeps waiting. Takes 120 KB; gone when it is forgotten.

    Raises:
        OSError: the kernel has no io_uring, or does not let this process use it.
    """

    def __init__(self) -> None:
        params = ctypes.create_string_buffer(_PARAMS.size)
        self._file = _setup(_SETUP, ENTRIES, params)
        if self._file < 0:
            raise OSError(ctypes.get_errno(), "io_uring_setup")
        weakref.finalize(self, os.close, self._file)
        self.is_broken = False
        _, self._places, _, _, _, features, *_ = found = _PARAMS.unpack(params.raw)
        tail, order = found[11], found[16]
        head, end, results = found[18], found[19], found[23]
        if not features & _SINGLE_MMAP:
            raise OSError(errno.ENOSYS, "io_uring_setup")

        size = max(order + 4 * ENTRIES, results + _RESULT_SIZE * self._places)
        rings = memoryview(mmap.mmap(self._file, -(-size // mmap.PAGESIZE) * mmap.PAGESIZE, offset=_RINGS_AT))
        words = rings.cast("I")
        self._tail, self._head, self._end = (words[at // 4 :][:1] for at in (tail, head, end))
        words[order // 4 :][:ENTRIES] = array("I", range(ENTRIES))
        there = rings[results : results + _RESULT_SIZE * self._places]
        self._numbers, self._taken = there.cast("Q")[::2], there.cast("i")[2::4]

        self._buffer = mmap.mmap(-1, BUFFER)
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(self._buffer))
        entries = memoryview(mmap.mmap(self._file, _ENTRY.size * ENTRIES, offset=_ENTRIES_AT))
        for number in range(ENTRIES):
            entry = (_SEND, 0, 0, -1, 0, 0, 0, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL, number)
            _ENTRY.pack_into(entries, _ENTRY.size * number, *entry)
        self._files = entries.cast("I")[_FILE::_ENTRY_WORDS]
        self._addresses = entries.cast("Q")[_ADDRESS // 2 :: _ENTRY_WORDS // 2]
        self._lengths = entries.cast("I")[_LENGTH::_ENTRY_WORDS]

    def send(self, sockets: Sequence[int], runs: Sequence[tuple[int, bytes]]) -> dict[int, int]:
        """
        Send the first bytes of `runs` to so many of the first `sockets`, the next to so many after those, and so on: at
        most ENTRIES sockets, each once, and BUFFER bytes.

        Return who did not take all: its place among the sockets, and how many bytes it took. Why, the transport finds
        out with the rest.
        """
        total, at = len(sockets), 0
        addresses, lengths = array("Q"), array("I")
        for count, frames in runs:
            size = len(frames)
            self._buffer[at : at + size] = frames
            addresses.extend((self._address + at,) * count)
            lengths.extend((size,) * count)
            at += size
        files, first = array("I", sockets), self._tail[0] % ENTRIES
        for part, there in _around(first, total, ENTRIES):
            self._files[there], self._lengths[there] = files[part], lengths[part]
            self._addresses[there] = addresses[part]
        self._tail[0] = (self._tail[0] + total) & _WORD
        self._submit(total)

        taken, numbers = self._results()
        if taken == list(lengths):  # in order, as always so far
            return {}
        found = {(number - first) % ENTRIES: max(0, size) for number, size in zip(numbers, taken, strict=True)}
        return {place: found.get(place, 0) for place, size in enumerate(lengths) if found.get(place) != size}

    def _results(self) -> tuple[list[int], list[int]]:
        head, end = self._head[0], self._end[0]
        taken: list[int] = []
        numbers: list[int] = []
        for _, there in _around(head % self._places, (end - head) & _WORD, self._places):
            taken += self._taken[there]
            numbers += self._numbers[there]
        self._head[0] = end
        return taken, numbers

    def _submit(self, count: int) -> None:
        left = count
        while left and not self.is_broken:
            submitted = _enter(_ENTER, self._file, left, count, _GET_EVENTS, None, 0)
            if submitted > 0:
                left -= submitted
            elif ctypes.get_errno() != errno.EINTR:
                self.is_broken = True


def open_ring() -> Ring | None:
    """Return a ring, if the settings and the kernel let us have one."""
    if settings.WS_IO_URING and sys.platform == "linux":
        try:
            return Ring()
        except OSError as error:
            logger.info("io_uring_unavailable", error=os.strerror(error.errno or 0))
    return None


def _around(first: int, count: int, size: int) -> Iterator[tuple[slice, slice]]:
    """Cut `count` places of a ring of `size`, from `first` on, where the ring ends: which they are, and where."""
    until = min(count, size - first)
    yield slice(0, until), slice(first, first + until)
    if until < count:
        yield slice(until, count), slice(0, count - until)
