import pytest


@pytest.fixture(autouse=True)
def _fresh_limits(fresh_limits: None) -> None:
    """Also for servers in processes of their own, which use the same Redis."""
