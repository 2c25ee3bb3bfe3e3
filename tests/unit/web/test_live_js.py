"""The connection of a page: the rule of the protocol, losses, waits, close codes."""

from tests.unit.web.node import run_tests


def test_the_rule_of_a_room():
    run_tests("live.test.mjs")
