"""`manage.py`, in a process whose clock and bus go wrong as its dials say. Usage: python -m tests.chaos.worker run …"""

import datetime as dt
import os
import sys
import time

from tests.chaos.bus import bend_bus
from tests.chaos.dials import Dials

_dials = Dials.mine()
_true_time = time.time


def _time() -> float:
    return _true_time() + _dials.clock


class _AnyDatetime(type):
    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, dt.datetime)


class _Datetime(dt.datetime, metaclass=_AnyDatetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
        return dt.datetime.fromtimestamp(_time(), tz)


def bend_clock() -> None:
    """Have Django and PyJWT, which ask `datetime`, and whoever asks `time.time` see the same wrong time."""
    time.time = _time
    import django.utils.timezone
    import jwt.api_jwt

    django.utils.timezone.datetime = jwt.api_jwt.datetime = _Datetime


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deltacrown.settings")
    bend_clock()
    bend_bus()
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *sys.argv[1:]])


if __name__ == "__main__":
    main()
