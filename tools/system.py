"""Programs that come from the system and not from pip."""

import os
import shutil
import subprocess
import sys

from tests.services import chromium
from tools.environment import LOG, ROOT


def require_chromium() -> None:
    """Install the browser where we may, or exit with a sentence that says how to."""
    if chromium():
        return
    if apt_get := _apt_get():
        print("Installing Chromium for the browser tests", flush=True)
        with LOG.open("wb") as log:
            for arguments in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
                subprocess.run([*apt_get, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
    if not chromium():
        tried = f" It could not be installed; the log is {LOG.relative_to(ROOT)}" if apt_get else ""
        sys.exit(f"The browser tests need Chromium. On Debian or Ubuntu: apt-get install chromium.{tried}")


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
