"""
How often a program may ask with an API token: as often as a person may send messages in a room, for each process.

A bucket is one number, the moment at which it will be full again (GCRA).
"""

from collections.abc import Callable
from math import ceil, inf
from time import monotonic

from django.conf import settings

from apps.errors import AppError, ErrorCode
from engine.text import gettext as _

_KEPT = 1000
_LONGEST = 3600.0  # seconds; the answer when no waiting would help


class TooManyRequests(AppError):
    """The token's budget is used up; `data` says for how long."""

    code, http_status = ErrorCode.RATE_LIMITED, 429


class Throttle:
    """Budgets by token id. Threads may share it: at worst two requests count as one."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._full_at: dict[int, float] = {}

    def take(self, token: int) -> None:
        """
        Count one request.

        Raises:
            TooManyRequests: over WS_RATE_MSG_RPS in the long run and WS_RATE_MSG_BURST at once.
        """
        rate, burst = settings.WS_RATE_MSG_RPS, settings.WS_RATE_MSG_BURST
        if not settings.WS_RATE_ENABLED:
            return
        now = self._clock()
        each = 1 / rate if rate > 0 else inf
        full_at = max(now, self._full_at.get(token, now)) + each
        wait = min(full_at - now - burst * each, _LONGEST) if burst and each < inf else _LONGEST
        if wait > 0:
            message = _("Too many requests with this token. Send this one again after the time given.")
            raise TooManyRequests(message, retry_after_ms=ceil(wait * 1000))
        if len(self._full_at) > _KEPT:  # full buckets say nothing
            self._full_at = {key: at for key, at in list(self._full_at.items()) if at > now}
        self._full_at[token] = full_at


throttle = Throttle()
