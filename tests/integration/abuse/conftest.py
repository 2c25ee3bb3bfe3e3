import pytest

from apps.accounts.tokens import SignedIn
from apps.tournaments.models import Tournament
from tests import factories
from tests.integration.realtime.conftest import _fresh_limits
from tests.integration.server.conftest import start

__all__ = ["_fresh_limits", "start"]


@pytest.fixture
def cup(transactional_db: None) -> Tournament:
    return factories.drawn(2)


@pytest.fixture
def holder(transactional_db: None) -> SignedIn:
    return factories.signed_in(factories.make_user())
