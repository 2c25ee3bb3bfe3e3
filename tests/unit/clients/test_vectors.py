"""The recorded vectors, as clients/README.md describes them, on the Python client's rules."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from deltacrown_client import Follower, Position, empty
from deltacrown_client.follower import ABNORMAL

VECTORS = Path(__file__).parents[3] / "clients" / "vectors"
ACTED = {"since": None, "sent": [], "changed": False, "renew": False, "settled": "", "wait": "not asked"}
EXPECTATIONS = {*ACTED, "position", "state", "status", "presence"}


def vectors() -> list[Any]:
    files = [(file.stem, json.loads(file.read_text())) for file in sorted(VECTORS.glob("*.json"))]
    return [pytest.param(vector, id=f"{name}: {vector['name']}") for name, found in files for vector in found]


def take(follower: Follower, step: dict[str, Any], now: float) -> dict[str, Any]:  # noqa: C901, PLR0911
    """Return what one input, of which there are these kinds, makes of a follower, apart from its attributes."""
    match step:
        case {"connect": True}:
            return {"since": follower.connecting(now)}
        case {"receive": frame}:
            send, changed, renew, settled = follower.receive(frame, now)
            return {"sent": send, "changed": changed, "renew": renew, "settled": settled}
        case {"close": code}:
            return {"wait": in_ms(follower.ended(code, now))}
        case {"refused": {"status": status, **more}}:
            wait = more["retry_after_ms"] / 1000 if more else None
            return {"wait": in_ms(follower.refused(status, now, wait))}
        case {"act": {"type": action, "id": action_id, **more}}:
            return {"sent": follower.act(action, more.get("data", {}), action_id)}
        case {"forget": action_id}:
            follower.forget(action_id)
            return {}
        case {"leave": True}:
            follower.leave()
            return {}
        case {"renewed": token}:
            return {"sent": follower.renewed(token)}
        case {"probe": how}:
            return {"sent": follower.probe(now, **how)}
        case {"pass": _}:
            late = follower.tick(now)
            return {"wait": in_ms(follower.ended(ABNORMAL, now))} if late is None else {"sent": late}
    raise AssertionError(step)


def in_ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000)


@pytest.mark.parametrize("chance", [0, 1])
@pytest.mark.parametrize("vector", vectors())
def test_the_python_client_follows_the_vector(vector, chance):
    start = copy.deepcopy(vector.get("start", {}))
    position = Position(**start["position"]) if "position" in start else None
    state = start.get("state", empty())
    expected: dict[str, Any] = {
        "position": start.get("position"),
        "state": copy.deepcopy(state),
        "status": "lost",
        "presence": {},
    }
    follower = Follower(position, state, renewable=start.get("renewable", True), random=lambda: chance)
    now = 0
    for number, step in enumerate(vector["steps"], 1):
        now += step.get("pass", 0)
        seen = ACTED | take(follower, copy.deepcopy(step), now / 1000)
        seen["position"] = follower.position and follower.position._asdict()
        seen |= {"state": follower.state, "status": follower.status.kind, "presence": follower.presence}
        expected |= ACTED | {name: value for name, value in step.items() if name in EXPECTATIONS}
        if isinstance(step.get("wait"), list):
            expected["wait"] = step["wait"][chance]
        assert seen == expected, f"step {number}"
        if "since_ms" in step:
            assert follower.status.since * 1000 == step["since_ms"]
