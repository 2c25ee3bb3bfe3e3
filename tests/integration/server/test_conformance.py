"""The Autobahn test suite's cases, run by kosoku against the server."""

import asyncio

from kosoku import FailureError, run_fuzzingclient

OTHERS = ["9.*", "12.*", "13.*"]  # how fast it is, and compression, which is off
CASES = 247


async def test_the_autobahn_cases(start):
    site = start()
    try:
        async with asyncio.timeout(60):
            results = await run_fuzzingclient(f"ws://{site.address}/echo", None, OTHERS, concurrency=16)
    except FailureError as failure:
        results = failure.results
    assert len(results) == CASES
    assert not [(result.case_id, result.result, result.result_close) for result in results if not result.passed]
