"""
One POST after the other to an address that somebody typed in. Nothing of the answer is kept but its status.

Redirects are not followed, certificates are verified, an attempt ends after five seconds whatever the other side does,
and no more of an answer is read than its status, its head, and a body of 64 KiB.
"""

import http.client
import io
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Self

from apps.integrations.addresses import NotAllowed, Resolver, SocketAddress, Target, addresses_of, look_up
from engine.text import Text
from engine.text import gettext as _

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SECONDS = 5.0  # from the first packet to the end of the answer
LOOK_UP_SECONDS = 30.0  # the system's resolver cannot be hurried; what takes longer is not sent
MOST_READ = 64 * 1024
_LONGEST_WAIT = 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What came of an attempt: a status, or an error as a sentence for the organiser.

    `retry_after`: the seconds for which the receiver asks.
    """

    status: int | None
    milliseconds: int
    error: str = ""
    retry_after: float | None = None

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - 2xx


class Line:
    """The way to one target. Stays connected from one post to the next where the other side allows it."""

    def __init__(self, target: Target, *, resolve: Resolver = look_up, context: ssl.SSLContext | None = None) -> None:
        self._target, self._resolve, self._context = target, resolve, context
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send, and wait for the answer. Raises nothing: what goes wrong is in the answer."""
        began = monotonic()
        was_open = self._socket is not None
        try:
            try:
                status, retry_after = self._exchange(body, headers)
            except ConnectionError:
                if not was_open:
                    raise
                self.close()  # the other side had ended the connection in the meantime
                status, retry_after = self._exchange(body, headers)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's server does
            self.close()
            return Answer(None, _since(began), _sentence(error))
        return Answer(status, _since(began), "" if 200 <= status < 300 else _refusal(status), retry_after)  # noqa: PLR2004

    def _exchange(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, float | None]:
        where = addresses_of_in_time(self._target, self._resolve) if self._socket is None else []
        until = monotonic() + SECONDS
        if self._socket is None:
            self._socket = self._connect(where, until)
        request = http.client.HTTPConnection(self._target.host, self._target.port)
        request.sock = _Timed(self._socket, until)  # all of a socket that is used
        request.putrequest("POST", self._target.path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": self._target.authority, "Content-Length": str(len(body)), **headers}.items():
            request.putheader(name, value)
        request.endheaders(body)
        answer = request.getresponse()
        self._finish(answer)
        return answer.status, _seconds(answer.headers.get("Retry-After"))

    def _connect(self, where: list[tuple[int, SocketAddress]], until: float) -> socket.socket:
        failure: OSError = OSError("The host has no address.")
        for family, address in where:
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(_left(until))
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._target.scheme == "http":
                    return connection
                connection.settimeout(_left(until))
                context = self._context or _context()
                return context.wrap_socket(connection, server_hostname=self._target.host)
            except OSError as error:
                connection.close()
                failure = error
            except BaseException:
                connection.close()
                raise
        raise failure

    def _finish(self, answer: http.client.HTTPResponse) -> None:
        """Read what is left of the answer, so that the connection can be used again; otherwise end it."""
        try:
            answer.read(MOST_READ)
        except (OSError, http.client.HTTPException):  # the status came, and that is what counts
            self.close()
        else:
            if not answer.isclosed() or answer.will_close:
                self.close()


def addresses_of_in_time(target: Target, resolve: Resolver) -> list[tuple[int, SocketAddress]]:
    """Look a host up, as `addresses_of` does. Raises TimeoutError as well."""
    began = monotonic()
    found = addresses_of(target, resolve)
    if monotonic() - began > LOOK_UP_SECONDS:
        raise TimeoutError
    return found


class _Timed:
    """A socket whose every wait ends at the same moment, however little comes at a time."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection, self._until = connection, until

    def sendall(self, data: bytes) -> None:
        self._connection.settimeout(_left(self._until))
        self._connection.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._connection, self._until))

    def close(self) -> None:
        """Do nothing: the connection is the line's."""


class _Reader(io.RawIOBase):
    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection, self._until = connection, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        self._connection.settimeout(_left(self._until))
        return self._connection.recv_into(buffer)


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()  # SSL_CERT_FILE names other authorities than the system's


def _left(until: float) -> float:
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _since(began: float) -> int:
    return int((monotonic() - began) * 1000)


def _seconds(header: str | None) -> float | None:
    """Return what Retry-After says in seconds, the form that is used with 429; dates are left alone."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT) if seconds == seconds else None  # noqa: PLR0124 - not a number


def _refusal(status: int) -> Text:
    if 300 <= status < 400:  # noqa: PLR2004 - 3xx
        return _("It answered {number}: redirects are not followed. Give the address that it leads to.", number=status)
    return _("It answered {number}.", number=status)


# The first that fits; of what the other side has sent there is no word in them. They are kept in English.
_SENTENCES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, _("There was no answer within {number} seconds.", number=round(SECONDS))),
    (ssl.SSLError, _("TLS could not be agreed upon.")),
    (socket.gaierror, _("The host cannot be found.")),
    (ConnectionRefusedError, _("Nobody listens there.")),
    (ConnectionError, _("It closed the connection without an answer.")),
    (http.client.HTTPException, _("What answered does not speak HTTP.")),
    (OSError, _("It cannot be reached.")),
)


def _sentence(error: Exception) -> str:
    """Say what went wrong."""
    if isinstance(error, NotAllowed):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"Its certificate is not valid: {error.verify_message}."[:200]
    known = (sentence for kind, sentence in _SENTENCES if isinstance(error, kind))
    return next(known, f"The attempt failed: {type(error).__name__}.")
