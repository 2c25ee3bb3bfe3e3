"""The JavaScript client: its rules by the recorded vectors, its connections with sockets that do what a test says."""

from pathlib import Path

import pytest

from tests.unit.web.node import run_tests

HERE = Path(__file__).parent


@pytest.mark.parametrize("script", sorted(HERE.glob("*.test.mjs")), ids=lambda script: script.name)
def test_the_javascript_client(script):
    run_tests(script)
