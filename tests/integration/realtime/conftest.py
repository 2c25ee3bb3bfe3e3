from collections.abc import Iterator

import pytest

from apps.tournaments.realtime.hub import hub
from tests.server import running_server, wait_for


@pytest.fixture
def address(transactional_db: None) -> Iterator[str]:
    """The address of a running server that works on the test database."""
    with running_server() as address:
        yield address
    wait_for(lambda: not hub.connections)
    assert not hub.feeds
