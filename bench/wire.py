"""A WebSocket client that costs little, so that thousands of them and the server fit on one machine."""

import asyncio
import struct
from typing import Any

UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Protocol: deltacrown.v1, bearer.{token}\r\nX-Forwarded-For: {ip}\r\n\r\n"
)
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
ABNORMAL = 1006
SHORT, MEDIUM = 126, 127  # what the length of a frame says when it follows in 2 bytes, in 8


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return a client's frame. It is masked with zeros, which leave the payload as it is."""
    size = len(payload)
    length = struct.pack("!B", 128 | size) if size < SHORT else struct.pack("!BH", 128 | SHORT, size)
    return bytes([128 | opcode]) + length + bytes(4) + payload


class Socket(asyncio.Protocol):
    """
    A connection to a room, as `ip` sees it who stands behind a trusted proxy.

    `on_text`, `on_open` and `on_end` are for subclasses. `status` is that of the handshake's answer, `closed` the code
    with which the connection ended, None while it lasts.
    """

    transport: asyncio.Transport
    closed: int | None = None
    status = 0
    leaving = False

    def __init__(self, address: str, path: str, token: str, ip: str) -> None:
        self._head = UPGRADE.format(path=path, address=address, token=token, ip=ip).encode()
        self._rest = b""

    async def open(self, address: str) -> None:
        """Connect and send the upgrade request."""
        host, _, port = address.rpartition(":")
        await asyncio.get_running_loop().create_connection(lambda: self, host, int(port))

    def on_open(self) -> None:
        """Act on the handshake's success."""

    def on_text(self, text: bytes) -> None:
        """Act on a message."""

    def on_end(self) -> None:
        """Act on the end of the connection."""

    def send(self, text: bytes) -> None:
        self.transport.write(frame(text))

    def leave(self) -> None:
        """Close as a client does who goes away."""
        if self.closed is None and not self.leaving:
            self.leaving = True
            self.transport.write(frame(struct.pack("!H", 1000), CLOSE))

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self._head)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.closed is None:
            self.closed = ABNORMAL
        self.on_end()

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        if not self.status:
            head, end, rest = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = data
                return
            self.status = int(head.split(b" ", 2)[1])
            if self.status != 101:  # noqa: PLR2004 - Switching Protocols
                self.transport.close()
                return
            data = rest
            self.on_open()
        self._rest = self._read_frames(data)

    def _read_frames(self, data: bytes) -> bytes:
        """Act on the frames in `data`, and return what is left: a part of one."""
        at, end = 0, len(data)
        while at + 2 <= end:
            begin, size = at + 2, data[at + 1]
            if size == SHORT:
                begin = at + 4
                size = int.from_bytes(data[at + 2 : begin])
            elif size == MEDIUM:
                begin = at + 10
                size = int.from_bytes(data[at + 2 : begin])
            stop = begin + size
            if begin > end or stop > end:
                break
            opcode = data[at] & 15
            if opcode == TEXT:
                self.on_text(data[begin:stop])
            elif opcode == CLOSE:
                self.closed = int.from_bytes(data[begin : begin + 2]) if size else 1005
                if not self.leaving:
                    self.transport.write(frame(data[begin:stop], CLOSE))
                self.transport.close()
            elif opcode == PING:
                self.transport.write(frame(data[begin:stop], PONG))
            at = stop
        return data[at:]
