"""What all tests share. Folders below add their own fixtures."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import TransactionTestCase
from hypothesis import settings as hypothesis_settings
from hypothesis.internal.conjecture import providers

from deltacrown import catalogues
from tests import services
from tests.emptying import empty

# The same examples on every run, however slow the machine. `make test ARGS=--hypothesis-profile=explore` looks further.
hypothesis_settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis_settings.register_profile("explore", max_examples=2000, deadline=None, print_blob=True)
hypothesis_settings.load_profile("ci")


@pytest.hookimpl(trylast=True)  # after Hypothesis has loaded the profile that the command line names
def pytest_configure() -> None:
    if hypothesis_settings.default.derandomize:
        # Hypothesis also draws what stands in the modules of ours that are loaded by then: the order of tests would
        # choose the examples.
        providers._get_local_constants = providers.Constants


@pytest.fixture(scope="session", autouse=True)
def _emptied_quickly() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield


# `make test` has done so; whoever calls pytest alone has it done here.
catalogues.compile_all()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The Redis of this run, or one of its own when the run has none."""
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    with services.redis_server() as url:
        yield url


# The realtime package is imported where it is used: most unit tests never do.


@pytest.fixture
def fresh_limits(settings) -> None:
    """What one test used up is not missing in the next; places that were taken have been given back."""
    from redis import Redis

    from apps.tournaments.realtime.middleware_ratelimit import limits

    settings.WS_RATE_REDIS_TIMEOUT = 8  # the tests share the machine with each other
    limits.cache_clear()
    if settings.REDIS_URL:
        with Redis.from_url(settings.REDIS_URL) as redis:
            redis.flushdb()


@pytest.fixture
def media(settings, tmp_path) -> Path:
    """The folder of the files that people upload: the test's own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def every_score(monkeypatch) -> None:
    """Each score of a match goes out by itself, however soon it follows the one before."""
    monkeypatch.setattr("apps.tournaments.realtime.coalesce.COALESCED", frozenset())


@pytest.fixture
def address(transactional_db: None, fresh_limits: None) -> Iterator[str]:
    """The address of a running server that works on the test database."""
    from apps.tournaments.realtime.hub import hub
    from apps.tournaments.realtime.middleware_ratelimit import limits
    from tests.server import running_server, wait_for

    with running_server() as address:
        yield address
    wait_for(lambda: not hub.connections)
    assert not hub.feeds
    assert not limits().limiter.held


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = services.chromium()
    assert path, "The browser tests need Chromium. On Debian or Ubuntu: apt-get install chromium"
    return path
