"""How long after a commit those who were connected had the event, or a snapshot that holds it."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tests.chaos.crowd import Mark, Watcher
from tests.chaos.faults import Window
from tests.chaos.judge import Judge, Reader
from tests.chaos.processes import TURBULENCE


class Delay(NamedTuple):
    """`committed` to `had` of one person; `worker`: the process that they were connected to."""

    committed: float
    had: float
    worker: int
    stalled: bool

    @property
    def seconds(self) -> float:
        return max(0.0, self.had - self.committed)


class Stay(NamedTuple):
    """One connection: when it became current, when it ended, and how far it had come when."""

    begin: float
    end: float
    worker: int
    times: list[float]
    seqs: list[int]


def delays(watcher: Watcher, judge: Judge, commits: Mapping[tuple[str, int], float]) -> Iterable[Delay]:
    """Yield a delay for each commit during a connection; if that ended before the event came, so late at least."""
    reader = Reader(judge, cup=watcher.cup, match=watcher.match, user=watcher.user)
    cup, stalls = judge.cups[watcher.cup], _stalls(watcher.tape)
    at = [(commits.get((f"tournament:{watcher.cup}", event.seq)), event) for event in cup.events]
    known = sorted((time, event) for time, event in at if time is not None and reader.sees(event))
    moments = [time for time, _ in known]
    for stay in _stays(watcher.tape, judge):
        for time, event in known[bisect_left(moments, stay.begin) : bisect_left(moments, stay.end)]:
            place = bisect_left(stay.seqs, event.seq)
            had = stay.times[place] if place < len(stay.seqs) else stay.end
            stalled = any(begin <= had and time <= end + TURBULENCE for begin, end in stalls)
            yield Delay(time, had, stay.worker, stalled)


def is_healthy(delay: Delay, windows: Sequence[Window]) -> bool:
    """Return whether neither the person, nor their process, nor the database had a fault meanwhile."""
    if delay.stalled:
        return False
    for kind, begin, end, worker in windows:
        hits = kind.startswith("postgres") or (kind.startswith("worker") and worker == delay.worker)
        if hits and begin <= delay.had and delay.committed <= end + TURBULENCE:
            return False
    return True


def during(delay: Delay, windows: Sequence[Window], kinds: Sequence[str]) -> bool:
    return any(w.kind in kinds and w.begin <= delay.had and delay.committed <= w.end for w in windows)


def _stays(tape: Sequence[Mark], judge: Judge) -> Iterable[Stay]:
    stay: Stay | None = None
    worker = 0
    for mark in tape:
        if mark.what == "begin":
            worker, stay = mark.number, None
        elif mark.what == "frame":
            frame = judge.frames[mark.number]
            if frame["type"] == "snapshot" or (frame["type"] == "connection_established" and frame["data"]["resumed"]):
                stay = stay or Stay(mark.at, 0, worker, [], [])
            told = frame["seq"] if "prev" in frame or frame["type"] == "snapshot" else -1
            if stay is not None and told > (stay.seqs[-1] if stay.seqs else -1):
                stay.times.append(mark.at)
                stay.seqs.append(told)
        elif mark.what == "end" and stay is not None:
            yield stay._replace(end=mark.at)
            stay = None


def _stalls(tape: Sequence[Mark]) -> list[tuple[float, float]]:
    begins = [mark.at for mark in tape if mark.what == "stall"]
    ends = [mark.at for mark in tape if mark.what == "read"]
    return list(zip(begins, ends, strict=False))
