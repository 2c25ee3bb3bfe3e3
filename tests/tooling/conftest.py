"""A checkout small enough to install in a test: the real tools, one package, a manage.py that says how it was run."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What the surrounding `make test` hands down, and what the machine says about packages.
INHERITED = {"ARGS", "CI", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PORT", "PYTHON"}

MANAGE = """
import sys, tiny
print("manage.py", *sys.argv[1:])
"""


@dataclass(frozen=True)
class Checkout:
    path: Path

    def run(self, *arguments: str, python: str = sys.executable, **env: str) -> subprocess.CompletedProcess[str]:
        return self.call(python, "tools/bootstrap.py", "run", *arguments, **env)

    def call(self, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if name not in INHERITED and name[:4] != "PIP_"}
        offline = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.path / "wheels")}
        return subprocess.run(
            command,
            cwd=self.path,
            env={**kept, **offline, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def _tiny_wheel(folder: Path) -> str:
    """Write the wheel of the package `tiny` and return its hash."""
    wheel = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "")
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def _write(path: Path) -> Checkout:
    shutil.copytree(ROOT / "tools", path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", path)
    (path / "deltacrown").mkdir()
    for name in ("__init__.py", "catalogues.py"):
        shutil.copy(ROOT / "deltacrown" / name, path / "deltacrown")
    (path / "manage.py").write_text(MANAGE)
    (path / "wheels").mkdir()
    (path / "requirements.lock").write_text(f"tiny==1.0 --hash=sha256:{_tiny_wheel(path / 'wheels')}\n")
    return Checkout(path)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh clone: nothing installed."""
    return _write(tmp_path)


@pytest.fixture(scope="session")
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = _write(tmp_path_factory.mktemp("installed"))
    assert checkout.run(PORT=free_port()).returncode == 0
    return checkout


@pytest.fixture
def installed(_installed: Checkout, tmp_path: Path) -> Checkout:
    """A clone after its first run; each test has its own copy."""
    shutil.copytree(_installed.path, tmp_path, symlinks=True, dirs_exist_ok=True)
    return Checkout(tmp_path)


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
