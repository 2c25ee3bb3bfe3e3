from collections.abc import Iterator

import pytest
from redis import Redis

from apps.tournaments.realtime.hub import hub
from apps.tournaments.realtime.middleware_ratelimit import limits
from tests.server import running_server, wait_for


@pytest.fixture(autouse=True)
def fresh_limits(settings) -> None:
    """What one test used up is not missing in the next; places that were taken have been given back."""
    settings.WS_RATE_REDIS_TIMEOUT = 8  # the tests share the machine with each other
    limits.cache_clear()
    if settings.REDIS_URL:
        with Redis.from_url(settings.REDIS_URL) as redis:
            redis.flushdb()


@pytest.fixture
def address(transactional_db: None) -> Iterator[str]:
    """The address of a running server that works on the test database."""
    with running_server() as address:
        yield address
    wait_for(lambda: not hub.connections)
    assert not hub.feeds
    assert not limits().limiter.held
