"""The Python client folds events as the engine does, for any events."""

from random import Random

import pytest

import engine.projection
from deltacrown_client import fold
from tests.unit.web.test_state_js import random_events


@pytest.mark.parametrize("seed", range(50))
def test_folding_random_events_gives_the_state_that_the_engine_gives(seed):
    assert fold(random_events(Random(seed))) == engine.projection.fold(random_events(Random(seed)))
