"""The memory of one process: exact to the microsecond, and no larger than what is in use."""

from hypothesis import given
from hypothesis import strategies as st

from apps.tournaments.realtime.ratelimit import LEASE_SECONDS, NEVER_MS, Lease, Limit, MemoryBackend, seat_in


class Clock:
    def __init__(self) -> None:
        self.us = 0

    def __call__(self) -> float:
        return self.us / 1_000_000


@given(
    interval=st.integers(1, 3_000_000),
    burst=st.integers(1, 50),
    steps=st.lists(
        st.tuples(st.integers(0, 10**7) | st.sampled_from([999, 1000, 1001]), st.integers(1, 60), st.booleans()),
        max_size=60,
    ),
)
def test_a_bucket_is_a_token_bucket(interval, burst, steps):
    """GCRA against tokens that drip, told in µs: a token is `interval` of credit, and credit ends at the burst."""
    clock = Clock()
    memory, limit = MemoryBackend(clock), Limit(1_000_000 / interval, burst)
    assert limit.interval_us == interval
    credit = burst * interval
    for pause, cost, look in steps:
        clock.us += pause
        credit = min(burst * interval, credit + pause)
        decision = (memory.peek_now if look else memory.take_now)("m", limit, cost)
        if cost > burst:
            assert decision == (False, 0, NEVER_MS)
        elif cost * interval > credit:
            wait = cost * interval - credit
            assert decision == (False, credit // interval, wait // 1000 + (wait % 1000 > 0))
        else:
            credit -= 0 if look else cost * interval
            assert decision == (True, credit // interval, 0)


def test_waiting_as_long_as_one_was_told_is_enough_and_a_millisecond_less_is_not():
    clock = Clock()
    memory, limit = MemoryBackend(clock), Limit(rate=3, burst=2)
    for _ in range(50):
        while (decision := memory.take_now("m", limit)).allowed:
            pass
        clock.us += (decision.retry_after_ms - 1) * 1000
        assert not memory.take_now("m", limit).allowed
        clock.us += 1000
        assert memory.take_now("m", limit).allowed


def test_looking_and_taking_go_by_one_clock_however_long_it_has_run():
    clock = Clock()
    clock.us = 10**11
    memory, limit = MemoryBackend(clock), Limit(rate=1, burst=1)
    assert memory.take_now("m", limit).allowed
    assert memory.peek_now("m", limit) == memory.take_now("m", limit) == (False, 0, 1000)


def test_one_token_is_taken_unless_more_are_asked_for():
    memory, buckets = MemoryBackend(Clock()), [("a", Limit(1, 3)), ("b", Limit(1, 2))]
    assert memory.take_each_now(buckets) == (True, 1, 0)
    assert memory.take_now("a", Limit(1, 3)) == (True, 1, 0)
    assert memory.peek_now("b", Limit(1, 2)) == (True, 1, 0)


def test_what_will_never_be_allowed_is_to_be_tried_again_in_an_hour():
    memory = MemoryBackend(Clock())
    assert memory.take_now("m", Limit(0, 5)) == memory.peek_now("m", Limit(1, 1), 2) == (False, 0, 3_600_000)


def test_a_share_of_a_limit_is_small_but_not_nothing():
    assert (Limit(10, 20).share(0.5).rate, Limit(10, 20).share(0.5).burst) == (5, 10)
    assert Limit(1, 1).share(0.1).burst == 1
    assert Limit(0, 5).share(0.5).burst == Limit(5, 0).share(0.5).burst == 0


class TestForgetting:
    def test_passers_by_leave_no_trace(self):
        clock = Clock()
        memory, limit = MemoryBackend(clock), Limit(rate=1, burst=5)
        for n in range(100_000):
            memory.take_now(f"ip:{n}", limit)
            clock.us += 100_000  # ten new ones a second, each of whom is worth remembering for one second
            assert len(memory) <= 25

    def test_buckets_in_use_are_kept_whoever_comes_by(self):
        clock = Clock()
        memory, limit = MemoryBackend(clock), Limit(rate=0.001, burst=1)
        for n in range(100):
            memory.take_now(f"user:{n}", limit)
        for n in range(10_000):
            memory.take_now(f"ip:{n}", Limit(rate=1000, burst=1))
            clock.us += 10_000
        assert not any(memory.take_now(f"user:{n}", limit).allowed for n in range(100))
        assert len(memory) <= 205

    def test_a_storm_is_forgotten_after_as_many_calm_ones(self):
        clock = Clock()
        memory, limit = MemoryBackend(clock), Limit(rate=1, burst=1)
        for n in range(1000):
            memory.take_now(f"storm:{n}", limit)
        assert len(memory) == 1000
        for n in range(1000):
            clock.us += 2_000_000
            memory.take_now(f"calm:{n}", limit)
        assert len(memory) <= 3

    def test_refusals_and_looks_store_nothing(self):
        memory = MemoryBackend(Clock())
        memory.take_now("m", Limit(0, 0))
        memory.peek_now("m", Limit(1, 1))
        memory.lease_now(Lease("k", "m", 0))
        memory.release_now(Lease("k", "m", 0))
        assert len(memory) == 0
        assert memory._members == {}

    def test_leases_that_ran_out_are_gone_from_every_key(self):
        clock = Clock()
        memory = MemoryBackend(clock)
        for n in range(1000):
            memory.lease_now(Lease(f"user:{n}", "c", 1))
            memory.lease_now(seat_in(f"{n}", "user:7", "c", 1))
        clock.us += round(LEASE_SECONDS * 1_000_000)
        memory.lease_now(Lease("last", "c", 1))
        assert len(memory) == len(memory._members) == 1

    def test_renewing_stores_no_more(self):
        memory = MemoryBackend(Clock())
        for _ in range(100):
            memory.hold(Lease("user:7", "c", 1))
        assert len(memory) == 1


def test_renewed_leases_run_out_after_those_that_were_not():
    clock = Clock()
    memory = MemoryBackend(clock, lease_seconds=10)
    memory.lease_now(Lease("k", "renewed", 2))
    memory.lease_now(Lease("k", "other", 2))
    clock.us = 9_000_000
    memory.hold(Lease("k", "renewed", 2))
    clock.us = 10_000_000
    assert memory.lease_now(Lease("k", "nobody", 0)).count == 1
    clock.us = 18_999_999
    assert memory.lease_now(Lease("k", "nobody", 0)).count == 1
    clock.us = 19_000_000
    assert memory.lease_now(Lease("k", "nobody", 0)).count == 0
