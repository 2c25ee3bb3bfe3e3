"""What all tests share. Folders below add their own fixtures."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests import services

# The same examples on every run, however slow the machine. `make test ARGS=--hypothesis-profile=explore` looks further.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", max_examples=2000, deadline=None, print_blob=True)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The Redis of this run, or one of its own when the run has none."""
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    with services.redis_server() as url:
        yield url


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = services.chromium()
    assert path, "The browser tests need Chromium. On Debian or Ubuntu: apt-get install chromium"
    return path
