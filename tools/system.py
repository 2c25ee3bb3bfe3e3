"""Programs that come from the system and not from pip."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.services import chromium, nginx
from tools.environment import LOG, ROOT


def require_programs() -> None:
    """Install what the tests need where we may, or exit with a sentence that says how to."""
    _require("chromium", chromium, "browser tests need Chromium")
    # Where systemd runs, the package would start a server on port 80, which is not for us to do.
    _require("nginx", nginx, "tests of the deployment need nginx", may_install=not Path("/run/systemd/system").exists())


def _require(package: str, find: Callable[[], str | None], need: str, *, may_install: bool = True) -> None:
    if find():
        return
    if apt_get := _apt_get() if may_install else []:
        print(f"Installing {package} for the tests", flush=True)
        with LOG.open("wb") as log:
            for arguments in (["update"], ["install", "-y", "--no-install-recommends", package]):
                subprocess.run([*apt_get, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
    if not find():
        tried = f" It could not be installed; the log is {LOG.relative_to(ROOT)}" if apt_get else ""
        sys.exit(f"The {need}. On Debian or Ubuntu: apt-get install {package}.{tried}")


def _apt_get() -> list[str]:
    """Give the start of an apt-get command that asks nothing; empty where we may not install."""
    if not shutil.which("apt-get"):
        return []
    command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    if os.geteuid() == 0:
        return command
    sudo = ["sudo", "--non-interactive"]
    if shutil.which("sudo") and subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode == 0:
        return [*sudo, *command]
    return []
