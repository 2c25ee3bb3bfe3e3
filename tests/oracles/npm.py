"""Packages of npm that tests compare with, installed beside their list at first use. The product needs none of them."""

import fcntl
import json
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
OURS_TO_MEND = ("EUSAGE", "EINTEGRITY", "EJSONPARSE")  # the lock file is wrong, so trying elsewhere would not help


COMMAND = [
    *("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"),
    *("--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=500"),
]


def require_packages(purpose: str) -> None:
    """Skip the test where the packages are not installed, and npm or its registry is not there to install them."""
    if (obstacle := _install()) is not None:
        pytest.skip(f"{purpose}: {obstacle}, its comparison was left out")


@cache
def _install() -> str | None:
    """Install what package-lock.json lists, unless it is there. Return what is in the way of that, if anything."""
    with (HERE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
        if _versions(HERE / "node_modules" / ".package-lock.json") == _versions(HERE / "package-lock.json"):
            return None
        if shutil.which("npm") is None:
            return "npm is not here"
        try:
            done = subprocess.run(COMMAND, cwd=HERE, capture_output=True, text=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            return "npm has no answer from its registry"
        if done.returncode == 0:
            return None
        assert not any(code in done.stderr for code in OURS_TO_MEND), done.stderr
        return "npm cannot reach its registry"


def _versions(lock: Path) -> dict[str, str] | None:
    if not lock.exists():
        return None
    packages = json.loads(lock.read_text())["packages"]
    return {name: package["version"] for name, package in packages.items() if name}
