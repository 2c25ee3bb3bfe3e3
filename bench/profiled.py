"""
manage.py under cProfile, in all its threads. Ctrl+C ends it and writes the statistics.

The main thread, which runs the event loop, is timed by the clock, which costs least; it waits in the loop's `run`. The
other threads are timed by their CPU, because they wait everywhere.

Usage: DJANGO_SETTINGS_MODULE=… .venv/bin/python bench/profiled.py <file for pstats> <arguments of manage.py>
"""

import cProfile
import pstats
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

profiles: list[cProfile.Profile] = []
run_thread = threading.Thread.run


def run_profiled(thread: threading.Thread) -> None:
    profiles.append(cProfile.Profile(time.thread_time))
    profiles[-1].runcall(run_thread, thread)


def main() -> None:
    from django.core.management import execute_from_command_line

    _, file, *arguments = sys.argv
    threading.Thread.run = run_profiled  # type: ignore[method-assign]
    with suppress(KeyboardInterrupt, SystemExit):
        profiles.append(cProfile.Profile())
        profiles[0].runcall(execute_from_command_line, ["manage.py", *arguments])
    pstats.Stats(*profiles).dump_stats(file)


if __name__ == "__main__":
    main()
