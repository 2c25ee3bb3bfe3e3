from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from apps.tournaments.realtime.server import Limits
from tests.integration.server.site import Site
from tests.server import serving, wait_for


@pytest.fixture
def start() -> Iterator[Callable[..., Site]]:
    """Start a server with the limits given, the others as usual. Nothing of its clients is left at the end."""
    with ExitStack() as stack:

        def _start(**limits: Any) -> Site:
            site = Site(Limits(**limits))
            stack.enter_context(serving(site))
            stack.callback(wait_for, site.is_empty)
            return site

        yield _start
