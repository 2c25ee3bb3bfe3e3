"""`make messages`: what is to be translated, from the sources into the .po files of locale/. Runs in .venv."""

import os
import shutil
import subprocess
import sys

from deltacrown import catalogues
from tools.environment import ROOT

# Folders whose words nobody reads on the site.
UNREAD = (".venv", "bench", "clients", "docs", "examples", "tests", "tools", "var")


def main() -> None:
    if not shutil.which("xgettext"):
        sys.exit("GNU gettext collects the sentences, and is not here. On Debian or Ubuntu: apt-get install gettext")
    ignored = [f"--ignore={name}" for name in UNREAD]
    for domain in ("django", "djangojs"):
        common = ["--all", "--domain", domain, "--no-obsolete", "--add-location", "file"]
        command = [sys.executable, "manage.py", "makemessages", *common, *ignored]
        subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "PYTHONWARNINGS": "ignore"})
    catalogues.compile_all()


if __name__ == "__main__":
    main()
