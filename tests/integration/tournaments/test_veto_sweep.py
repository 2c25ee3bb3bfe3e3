"""The sweep takes the steps of a veto whose time is up."""

from datetime import timedelta

import pytest

from apps.tournaments.services import Actor, deadlines, veto
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_sweep_leads_a_veto_that_nobody_plays_to_its_end():
    settings = {"pool": ["Ascent", "Bind", "Haven"], "seconds": 30}
    match = factories.match_number(factories.drawn(2, stage={"veto": settings}), 1)
    veto.start(Actor(match.home.user), match.pk)
    match.refresh_from_db()
    at = match.veto_deadline_at
    assert deadlines.sweep(at - timedelta(seconds=1)) == 0
    assert [deadlines.sweep(at + timedelta(seconds=30 * step)) for step in range(4)] == [1, 1, 1, 0]
    match.refresh_from_db()
    assert match.veto["turn"] is None
    assert all(made["drawn"] for made in match.veto["moves"] if made["act"] != "decider")
