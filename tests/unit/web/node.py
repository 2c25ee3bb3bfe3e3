"""Run the browser's modules under Node, which understands them as they are."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def node() -> str:
    path = shutil.which("node")
    assert path, "The tests of the browser's modules need Node 20 or newer. On Debian or Ubuntu: apt-get install nodejs"
    return path


def ask(script: str, question: Any) -> Any:
    """Return the JSON that a script answers to the JSON on its standard input."""
    done = subprocess.run(
        [node(), str(HERE / script)],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run_tests(script: Path) -> None:
    """Run a file of node:test; its report is shown when it fails."""
    done = subprocess.run(
        [node(), "--test", "--test-reporter=spec", str(script)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
