"""
Figures of this process for Prometheus. No label ever holds what a client can choose: room, person, address, text.

What is counted as it happens are counters and histograms; what can be seen at any time (connections, rooms, leases,
queues) is read when somebody asks, and costs nothing until then.
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterator

from prometheus_client import Counter, Histogram
from prometheus_client.core import REGISTRY, GaugeMetricFamily, Metric

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
AGES = (1, 10, 60, 300, 1800, 3600, 4 * 3600, 24 * 3600)

handshakes = Counter("rt_handshakes", "Attempts to connect.", ["result"])  # "accepted", a close code, an HTTP status
closes = Counter("rt_closes", "Connections that ended.", ["code", "initiator"])
ages = Histogram("rt_connection_age_seconds", "How long connections lasted.", buckets=AGES)
messages = Counter("rt_messages_in", "Messages from clients that could be read.", ["type"])
unreadable = Counter("rt_messages_unreadable", "Messages from clients that could not be read.", ["code"])
actions = Counter("rt_actions", "Actions, by what came of them.", ["action", "result"])  # "done" or an error code
deliveries = Counter("rt_deliveries", "Frames of events written to connections.", ["kind"])
delays = Histogram("rt_event_delay_seconds", "From the commit of an event to its rooms in here.", buckets=SECONDS)
resumes = Counter("rt_resumes", "How connections were brought up to date.", ["result"])  # "replay" or "snapshot"
snapshot_seconds = Histogram("rt_snapshot_build_seconds", "Building a snapshot.", buckets=SECONDS)
repairs = Counter("rt_repairs", "Events that came from the log because no hint brought them.")
resets = Counter("rt_stream_resets", "Streams whose history was replaced.")
swept = Counter("rt_swept", "What was due and this process looked after.", ["result"])  # "done", "gone" or "failed"
limited = Counter("rt_limited", "What a limit refused.", ["limit"])
loop_lag = Histogram(
    "rt_event_loop_lag_seconds", "How late the event loop is, measured twice a second.", buckets=SECONDS
)


class Gauges:
    """Reads the present state when it is asked for. `readers` give, for a name, values by labels."""

    def __init__(self) -> None:
        self._readers: list[tuple[str, str, tuple[str, ...], Callable[[], Tally[tuple[str, ...]]]]] = []

    def add(self, name: str, text: str, labels: tuple[str, ...], read: Callable[[], Tally[tuple[str, ...]]]) -> None:
        """Add a gauge; `read` returns its values by the values of its labels. It is called from another thread."""
        self._readers.append((name, text, labels, read))

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        for name, text, labels, read in self._readers:
            gauge = GaugeMetricFamily(name, text, labels=labels)
            for values, value in read().items():
                gauge.add_metric(values, value)
            yield gauge


gauges = Gauges()
REGISTRY.register(gauges)
