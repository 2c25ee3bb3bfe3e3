"""The Autobahn test suite's cases, run by kosoku against the server."""

import asyncio

from kosoku import FailureError, run_fuzzingclient

# How fast it is, and compression, which is off.
NOT_ASKED = ["9.*", "12.*", "13.*"]


async def test_the_autobahn_cases(start):
    site = start()
    try:
        results = await asyncio.wait_for(run_fuzzingclient(f"ws://{site.address}/echo", None, NOT_ASKED, 16), 60)
    except FailureError as failure:
        results = failure.results
    assert len(results) == 247
    failed = [(r.case_id, r.behavior.value, r.behavior_close.value, r.result_close) for r in results if not r.passed]
    assert not failed
    print({r.behavior.value for r in results})
