"""The virtual environment in .venv: made, filled from a lock file, and mended only when it has to be."""

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = ROOT / "var" / "install.log"

RUNTIME = "requirements.lock"
DEVELOPMENT = "requirements-dev.lock"

# The lock files that .venv was filled from, with their hashes. It lies inside, so that it goes when .venv goes.
STAMP = VENV / "installed.json"

# What pip's log holds when the package index cannot be reached.
UNREACHABLE = ("after connection broken by", "NewConnectionError", "Read timed out", "ProxyError")


def prepare(lock: str) -> None:
    """
    Leave .venv with everything that `lock` names, and the translations compiled, or exit with a sentence that says
    what to do.
    """
    # The development lock holds the runtime one, pin for pin, so installing it serves both.
    wanted = {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in {RUNTIME, lock}}
    LOG.parent.mkdir(exist_ok=True)
    if not _works():
        _make()
    if _installed().get(lock) != wanted[lock]:
        _install(lock)
        STAMP.write_text(json.dumps(wanted))
    subprocess.run([PYTHON, "-m", "deltacrown.catalogues"], cwd=ROOT, check=True)


def _works() -> bool:
    """Whether .venv runs, has pip, and is of the Python that runs this: one that was interrupted or moved is not."""
    ask = "import pip, sys; print(sys.version_info[:2])"
    try:
        answer = subprocess.run([PYTHON, "-c", ask], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return answer.stdout.strip() == str(sys.version_info[:2])


def _make() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit(
            f"{sys.executable} cannot make a virtual environment, for it lacks ensurepip. "
            "On Debian or Ubuntu: apt-get install python3-venv"
        )
    _say(f"Making .venv with Python {sys.version.split()[0]}")
    shutil.rmtree(VENV, ignore_errors=True)
    # Not sys.executable: when .venv was activated, that is the very interpreter just removed.
    base = getattr(sys, "_base_executable", sys.executable)
    if not _logged([base, "-m", "venv", VENV]):
        sys.exit(f"The virtual environment .venv could not be made. The log is {_shown(LOG)}")


def _install(lock: str) -> None:
    packages = sum(line[:1].isalnum() for line in (ROOT / lock).read_text().splitlines())
    _say(f"Installing {lock} into .venv ({packages} packages, about a minute the first time)")
    if not _logged([PYTHON, "-m", "pip", "install", "--no-input", "--require-hashes", "-r", ROOT / lock]):
        sys.exit(f"{_reason(lock)} pip's log is {_shown(LOG)}")


def _reason(lock: str) -> str:
    log = LOG.read_text(errors="replace")
    if any(sign in log for sign in UNREACHABLE):
        return (
            "The packages could not be downloaded, for the package index could not be reached. Connect to the internet "
            "once and run the command again; packages already installed are kept."
        )
    errors = [line for line in log.splitlines() if line.startswith("ERROR: ")]
    return f"The packages of {lock} could not be installed: {errors[-1][7:] if errors else 'pip failed'}."


def _installed() -> dict[str, str]:
    try:
        stamp: dict[str, str] = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return stamp


def _logged(command: list[str | Path]) -> bool:
    """Run a command with its output in the log, and tell whether it succeeded."""
    with LOG.open("wb") as log:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False).returncode == 0


def _say(step: str) -> None:
    print(step, flush=True)


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT))
