"""
The rules of a client, without input or output: frames, ends of connections and the time go in, what to do comes out.

For a frame with `seq` and `prev`, where `mine` is the seq reached so far:
`seq <= mine`: ignore. `prev <= mine < seq`: apply. `prev > mine`: a hole; ask for a snapshot, and wait for it.

clients/js/deltacrown.js has the same rules; both pass clients/vectors. Times are seconds of whatever clock the caller
has.
"""

import random
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from deltacrown_client.state import State, apply, empty

Frame = dict[str, Any]

BACKOFF_FIRST = 0.5
BACKOFF_MOST = 20.0
HANDSHAKE = 10.0  # from the wish to connect to the welcome
SNAPSHOT = 5.0
SILENCE = 60.0  # the server says something every 25 s
PROBE = 3.0
STEADY = 10.0  # open for this long, the next loss starts from the shortest wait again
UNTOLD = (0.5, 5.5)  # the wait for a server that did not say how long

ABNORMAL = 1006
TOKEN_EXPIRED = 4002
STOP = frozenset({1002, 1007, 1008, 1009, 4000, 4001, 4003, 4009, 4404})
WAIT_AS_TOLD = frozenset({1012, 4008, 4010})
STOP_FOR_STATUS = {401: 4001, 403: 4003, 404: 4404}


class Position(NamedTuple):
    """A place in the tournament's log. Numbers of different epochs have nothing to do with each other."""

    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}:{self.seq}"


class Status(NamedTuple):
    """
    How far the state can be trusted.

    `since`: live, the moment from which on the state is current; else the last moment at which it was known to be.
    `code`: with which the last connection ended; None while there is one.
    """

    kind: Literal["live", "lost", "stopped"]
    since: float
    code: int | None = None


class Reaction(NamedTuple):
    """
    What a frame asks for.

    `changed`: the frame is an event that was applied, or a snapshot. `renew`: a new token is wanted, see `renewed`.
    `settled`: the id of the action to which the frame is the answer.
    """

    send: list[Frame] = []
    changed: bool = False
    renew: bool = False
    settled: str = ""


NOTHING = Reaction()


class Follower:
    """
    Follows one room across all its connections.

    For each connection call `connecting`, then `receive` with every frame, then `ended` or `refused`, which say how
    long to wait for the next one. When `deadline` has come, call `tick`.
    """

    def __init__(
        self,
        position: Position | None = None,
        state: State | None = None,
        *,
        now: float = 0.0,
        renewable: bool = True,
        random: Callable[[], float] = random.random,
    ) -> None:
        """With `position` and `state` it goes on from there. Not `renewable`: the token at hand is all there is."""
        self.position = position
        self.state = empty() if state is None else state
        self._until = 0  # what was missed ends there
        self._in_doubt = False
        self.status = Status("lost", now)
        self.welcome: Frame = {}  # who you are here
        self.presence: Frame = {}
        self.pending: dict[str, Frame] = {}  # actions without an answer, by id
        self.is_open = False
        self._renewable = renewable
        self._random = random
        self._awaits_snapshot = False
        self._attempt = 0
        self._opened_at = self._current_at = now
        self._farewell: int | None = None  # the code that an error frame announced
        self._told: float | None = None
        self._deadlines: dict[str, float] = {}

    @property
    def deadline(self) -> float | None:
        """The next moment at which to call `tick`."""
        return min(self._deadlines.values(), default=None)

    def connecting(self, now: float) -> str:
        """Begin a connection. Return the value of `since`, "" to begin with a snapshot."""
        if self.status.kind == "stopped":
            self.status = self.status._replace(kind="lost")
        self._farewell = self._told = None
        self._until, self._in_doubt = 0, False
        self._deadlines = {"handshake": now + HANDSHAKE}
        return "" if self.position is None or self._awaits_snapshot else str(self.position)

    def receive(self, frame: Frame, now: float) -> Reaction:
        """Take a frame of the server; {} for what is none, which is a sign of life, too."""
        if frame.get("type") == "pong":
            self._in_doubt = False
        if not self._in_doubt:
            self._deadlines.pop("probe", None)
        self._deadlines["silence"] = now + SILENCE
        reaction = self._read(frame, now)
        self._judge(now)
        return reaction

    def act(self, action: str, data: Frame, action_id: str) -> list[Frame]:
        """Remember an action until it is answered. Return what to send now."""
        frame: Frame = {"type": action, "id": action_id} | ({"data": data} if data else {})
        self.pending[action_id] = frame
        return [frame] if self.is_open else []

    def forget(self, action_id: str) -> None:
        """Do not send an action again."""
        self.pending.pop(action_id, None)

    def renewed(self, token: str) -> list[Frame]:
        """Return what to send with a new token."""
        return [{"type": "authenticate", "data": {"token": token}}] if self.is_open else []

    def probe(self, now: float, *, doubt: bool = False) -> list[Frame]:
        """
        Find out now whether the connection lives, for example after sleep. Return what to send.

        With `doubt` the state does not count as current until the server has answered: all that was on its way is here
        then.
        """
        if doubt:
            self._lost()
        if not self.is_open:
            return []
        self._in_doubt = self._in_doubt or doubt
        self._deadlines["probe"] = now + PROBE
        return [{"type": "ping"}]

    def tick(self, now: float) -> list[Frame] | None:
        """Return what to send because time has passed; None: the connection is broken, give it up as `ABNORMAL`."""
        due = {name for name, at in self._deadlines.items() if at <= now}
        if due - {"again"}:
            return None
        if not due:
            return []
        del self._deadlines["again"]
        asked = [{"type": "resync"}] if self._awaits_snapshot else []
        return [*asked, *self.pending.values()]

    def ended(self, code: int, now: float) -> float | None:
        """Take the end of a connection. Return the seconds until the next one, None: there is none."""
        if code == ABNORMAL and self._farewell is not None:
            code = self._farewell
        if self.is_open and now - self._opened_at >= STEADY:
            self._attempt = 0
        self.is_open = False
        self._deadlines.clear()
        if code in STOP or (code == TOKEN_EXPIRED and not self._renewable):
            self.status = Status("stopped", self._current_at, code)
            return None
        self._lost(code)
        wait = self._wait(code)
        self._attempt = min(self._attempt + 1, 10)
        return wait

    def refused(self, http_status: int, now: float, retry_after: float | None = None) -> float | None:
        """Take an answer in HTTP instead of a token or a connection. Returns what `ended` does."""
        self._told = retry_after
        return self.ended(STOP_FOR_STATUS.get(http_status, ABNORMAL), now)

    def leave(self) -> None:
        """Follow the room no more, unless `connecting` begins anew."""
        self.is_open = False
        self.pending.clear()
        self._deadlines.clear()
        if self.status.kind != "stopped":
            self.status = Status("stopped", self._current_at)

    def _wait(self, code: int) -> float:
        if self._told is not None:
            return self._told
        if code in WAIT_AS_TOLD:
            least, most = UNTOLD
            return least + self._random() * (most - least)
        if code == TOKEN_EXPIRED and self._attempt == 0:
            return 0.0
        return self._random() * min(BACKOFF_MOST, BACKOFF_FIRST * 2.0**self._attempt)

    def _read(self, frame: Frame, now: float) -> Reaction:  # noqa: PLR0911 - one for each kind
        match frame:
            case {"type": "connection_established", "data": dict(welcome)}:
                return self._welcomed(welcome, now)
            case {"type": "snapshot", "epoch": str(epoch), "seq": int(seq), "data": dict(state)}:
                self.position, self.state = Position(epoch, seq), empty() | state
                self._awaits_snapshot = False
                self._deadlines.pop("snapshot", None)
                return Reaction(changed=True)
            case {"seq": int(seq), "prev": int(prev), "data": dict(data)}:
                return self._event(seq, prev, data, now)
            case {"type": "ping"}:
                return Reaction(send=[{"type": "pong"}])
            case {"type": "token_expiring"}:
                return Reaction(renew=self._renewable)
            case {"type": "ack", "id": str(answered)} if self.pending.pop(answered, None):
                return Reaction(settled=answered)
            case {"type": "error"}:
                return self._warned(frame, now)
            case {"type": "presence"}:
                self.presence = {name: value for name, value in frame.items() if name != "type"}
            case {"type": "server_restarting", "retry_after_ms": int(wait)}:
                self._told = wait / 1000
        return NOTHING

    def _welcomed(self, welcome: Frame, now: float) -> Reaction:
        """A second welcome on a connection says that you see other things now; a snapshot follows."""
        again, self.is_open = self.is_open, True
        self._deadlines.pop("handshake", None)
        self.welcome = welcome
        if not (welcome.get("resumed") and self.position and welcome.get("epoch") == self.position.epoch):
            self._await_snapshot(now)
        else:
            self._until = welcome.get("until", 0)
        if again:
            return NOTHING
        self._opened_at = now
        return Reaction(send=list(self.pending.values()))

    def _event(self, seq: int, prev: int, data: Frame, now: float) -> Reaction:
        # The snapshot that is on its way holds the event, or the event comes after it once more.
        if self.position is None or self._awaits_snapshot or seq <= self.position.seq:
            return NOTHING
        if prev > self.position.seq:
            self._await_snapshot(now)
            return Reaction(send=[{"type": "resync"}])
        self.position = Position(self.position.epoch, seq)
        apply(self.state, data)
        return Reaction(changed=True)

    def _warned(self, error: Frame, now: float) -> Reaction:
        wait = error.get("retry_after_ms")
        if "close_code" in error:
            self._farewell = error["close_code"]
            self._told = None if wait is None else wait / 1000
        elif wait is not None:  # a message was dropped, and which one it was need not be said
            self._deadlines["again"] = now + wait / 1000
            return NOTHING
        answered = str(error.get("id"))
        return Reaction(settled=answered) if self.pending.pop(answered, None) else NOTHING

    def _await_snapshot(self, now: float) -> None:
        self._awaits_snapshot = True
        self._deadlines["snapshot"] = now + SNAPSHOT

    def _judge(self, now: float) -> None:
        behind = self.position is not None and self.position.seq < self._until
        if not self.is_open or self._awaits_snapshot or self._in_doubt or behind:
            self._lost()
            return
        self._current_at = now
        if self.status.kind != "live":
            self.status = Status("live", now)

    def _lost(self, code: int | None = None) -> None:
        if self.status.kind == "live" or code not in {None, self.status.code}:
            self.status = Status("lost", self._current_at, code)
