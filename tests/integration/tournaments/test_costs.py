"""What a command costs in queries does not grow with the tournament."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.tournaments.services import Actor, brackets, entries, matches, reopening
from engine.match_flow import Score
from engine.stages import Format
from tests import factories

pytestmark = pytest.mark.django_db


def queries(action) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        action()
    return len(captured)


def field_of(entrants, format):
    cup = factories.publish(factories.make_tournament(capacity=256, format=format))
    by = Actor(cup.created_by)
    for number in range(entrants):
        entries.add(by, cup.pk, name=f"Entrant {number + 1}")
    return by, cup


@pytest.mark.parametrize("format", [Format.SINGLE_ELIMINATION, Format.DOUBLE_ELIMINATION, Format.ROUND_ROBIN])
def test_a_result_costs_as_many_queries_in_a_large_field_as_in_a_small_one(format):
    costs = []
    for entrants in (8, 64) if format == Format.ROUND_ROBIN else (8, 256):
        by, cup = field_of(entrants, format)
        brackets.generate(by, cup.pk)
        first, second = (factories.match_number(cup, number) for number in (1, 2))
        for match in (first, second):
            matches.start(by, match.pk)
        matches.finish(by, first.pk, Score(1, 0))
        costs.append(queries(lambda match=second, by=by: matches.finish(by, match.pk, Score(1, 0))))
    assert costs[0] == costs[1]
    assert costs[0] <= 40


@pytest.mark.parametrize("format", [Format.SINGLE_ELIMINATION, Format.DOUBLE_ELIMINATION, Format.SWISS])
def test_a_draw_costs_far_fewer_queries_than_it_makes_rows(format):
    costs = []
    for entrants in (8, 256):
        by, cup = field_of(entrants, format)
        costs.append(queries(lambda cup=cup, by=by: brackets.generate(by, cup.pk)))
    assert costs[1] - costs[0] <= 256 / 8


def test_a_reopening_costs_a_query_for_each_step_down_the_bracket():
    costs = []
    for entrants in (8, 64):
        by, cup = field_of(entrants, Format.SINGLE_ELIMINATION)
        brackets.generate(by, cup.pk)
        factories.play(cup, matches_at_most=entrants // 2 + 2)
        first = factories.match_number(cup, 1)
        costs.append(queries(lambda first=first, by=by: reopening.preview(by, first.pk)))
    assert costs[1] - costs[0] <= 6
