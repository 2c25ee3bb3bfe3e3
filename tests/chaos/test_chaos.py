"""The short form of the run: a hundred people, two processes, every fault twice. `make chaos` is the long one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SEED = 1
PATIENCE = 280  # it takes 50 s on an idle machine


@pytest.mark.timeout(PATIENCE + 20)
def test_nobody_sees_a_wrong_missing_doubled_or_foreign_event_whatever_breaks():
    # A process of its own: Django is set up here already, on another database.
    clients = str(ROOT / "clients" / "python")
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--short", "--seed", str(SEED)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": clients},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
