"""
A Redis of its own for each pytest-xdist worker: pub/sub names are shared by all databases of one server, so workers on
one server would hear each other's tournaments.

Named in PYTEST_PLUGINS by the test run on Redis, because Django's settings are read before any conftest.py.
"""

import os
from contextlib import ExitStack

from tests.services import redis_server

_servers = ExitStack()

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["REDIS_URL"] = _servers.enter_context(redis_server())


def pytest_unconfigure() -> None:
    _servers.close()
