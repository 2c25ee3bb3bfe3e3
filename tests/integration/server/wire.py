"""A client without manners: a socket, and frames of any kind."""

import socket
import struct
import time
from dataclasses import dataclass
from typing import Self

TEXT, BINARY, CLOSE, PING, PONG, CONT = 1, 2, 8, 9, 10, 0
SECONDS = 10.0  # until a read gives up

UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
)


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """Return a client's frame, masked with zeros, which leave the payload as it is."""
    return bytes([opcode | fin << 7]) + length(len(payload), masked=True) + bytes(4) + payload


def length(size: int, *, masked: bool) -> bytes:
    bit = masked << 7
    if size < 126:
        return bytes([bit | size])
    if size < 1 << 16:
        return struct.pack("!BH", bit | 126, size)
    return struct.pack("!BQ", bit | 127, size)


def server_frame(payload: bytes) -> bytes:
    """Return a text frame as a server sends it."""
    return bytes([TEXT | 1 << 7]) + length(len(payload), masked=False) + payload


def upgrade(path: str, more: str = "") -> bytes:
    return UPGRADE.format(path=path, more=more).encode()


@dataclass(frozen=True)
class Received:
    opcode: int
    payload: bytes

    @property
    def code(self) -> int:
        assert self.opcode == CLOSE, self
        return int(struct.unpack("!H", self.payload[:2])[0])


class Wire:
    """A TCP connection to the server. Reads raise TimeoutError after SECONDS."""

    def __init__(self, address: str, *, receive_buffer: int | None = None) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(SECONDS)
        self.socket.connect((host, int(port)))
        self._read = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def open(self, path: str) -> Self:
        """Upgrade to a WebSocket."""
        self.send(upgrade(path))
        assert self.head().startswith(b"HTTP/1.1 101 ")
        return self

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def flood(self, data: bytes, *, seconds: float) -> bool:
        """Send the same again and again for as long as the server takes it. Return whether it closed the connection."""
        until = time.monotonic() + seconds
        self.socket.settimeout(0.05)
        try:
            while time.monotonic() < until:
                try:
                    self.socket.sendall(data)
                except TimeoutError:
                    continue
                except ConnectionError:
                    return True
        finally:
            self.socket.settimeout(SECONDS)
        return False

    def head(self) -> bytes:
        """Read the head of a response."""
        while b"\r\n\r\n" not in self._read:
            self._more()
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        return head

    def frame(self) -> Received:
        opcode, size = self._take(2)
        if size == 126:
            size = int.from_bytes(self._take(2))
        elif size == 127:
            size = int.from_bytes(self._take(8))
        return Received(opcode & 15, self._take(size))

    def close_code(self) -> int:
        """Read on until the server closes, and return its code. Its end of the connection has to follow."""
        while (received := self.frame()).opcode != CLOSE:
            pass
        assert self.rest() == b""
        return received.code

    def rest(self) -> bytes:
        """Return what comes until the server ends the connection."""
        while data := self.socket.recv(1 << 16):
            self._read += data
        rest, self._read = self._read, b""
        return rest

    def _take(self, size: int) -> bytes:
        while len(self._read) < size:
            self._more()
        taken, self._read = self._read[:size], self._read[size:]
        return taken

    def _more(self) -> None:
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError(f"the server hung up after {self._read[-100:]!r}")
        self._read += data
