from tests.unit.web.node import HERE, run_tests


def test_which_events_concern_a_desk():
    run_tests(HERE / "desk.test.mjs")
