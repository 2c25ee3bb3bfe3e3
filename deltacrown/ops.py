"""The operators' page: how every process does, refreshed every two seconds."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from redis import RedisError

from apps.accounts.models import User
from apps.errors import AuthenticationRequired, PermissionDenied
from apps.tournaments.realtime import vitals
from apps.tournaments.realtime.vitals import Vitals
from apps.web.pages import Failure, page, show
from apps.words import gettext, said
from deltacrown.health import database_answers, redis_answers
from engine.text import gettext as _

ROOMS = 8  # shown

logger = structlog.get_logger(__name__)

ALONE = _("REDIS_URL is not set, so this process knows of itself alone. Others are at their own addresses.")
UNHEARD = _("Redis does not answer, so this process shows itself alone.")


@dataclass(frozen=True, slots=True)
class Health:
    """Whether something that the site needs answers, and after how many ms. None: the site is set up without it."""

    name: str
    answers: bool | None
    ms: float = 0.0


@page
def ops(request: HttpRequest, *, failure: Failure | None = None) -> HttpResponse:
    """Show the figures of all processes that could be heard, this one first, and the sums."""
    if not isinstance(request.user, User):
        raise AuthenticationRequired(gettext("Sign in as an administrator of this site."))
    if not request.user.is_superuser:
        raise PermissionDenied(gettext("This is for those who run the site."))
    mine, (others, note) = vitals.monitor.vitals(), _others(vitals.monitor.process)
    processes = [mine, *others]
    context: dict[str, Any] = {
        "processes": processes,
        "mine": mine.process,
        "total": _total(processes),
        "busiest": _busiest(processes),
        "health": [_health(gettext("Database"), database_answers), _redis()],
        "note": said(note),
    }
    return show(request, "web/ops.html", context, regions={"ops": "web/ops/_figures.html"}, failure=failure)


def _others(mine: str) -> tuple[list[Vitals], str]:
    """Return what the other processes say, and what is to be said when they cannot be heard."""
    if not settings.REDIS_URL:
        return [], ALONE
    try:
        heard = vitals.reports(settings.REDIS_URL)
    except RedisError as error:
        logger.warning("ops_redis", error=type(error).__name__)
        return [], UNHEARD
    others = [report for report in heard if report.process != mine]
    return sorted(others, key=lambda report: (report.host, report.started_at)), ""


def _total(processes: list[Vitals]) -> dict[str, Any]:
    """Return the sums, and of delays the worst."""
    sums = ("connections", "rooms", "viewers", "events", "frames", "refusals", "slow")
    total: dict[str, Any] = {name: sum(getattr(process, name) for process in processes) for name in sums}
    for name in ("delay_ms", "lag_ms"):
        total[name] = max((ms for process in processes if (ms := getattr(process, name)) is not None), default=None)
    total["refused"] = {
        limit: sum(process.refused.get(limit, 0) for process in processes)
        for limit in sorted({limit for process in processes for limit in process.refused})
    }
    total["workers"] = {
        worker: max(process.workers.get(worker, 0) for process in processes)
        for worker in sorted({worker for process in processes for worker in process.workers})
    }
    return total


def _busiest(processes: Iterable[Vitals]) -> list[tuple[str, str, int]]:
    """Return the rooms in which most are, of those that processes name: name, address of the page, how many."""
    here: Counter[str] = Counter()
    for process in processes:
        here.update(dict(process.busiest))
    return [(name, _page_of(name), count) for name, count in here.most_common(ROOMS)]


def _page_of(room: str) -> str:
    kind, _sep, pk = room.partition(":")
    return reverse(kind, args=[int(pk)])


def _health(name: str, ask: Callable[[], bool]) -> Health:
    began = perf_counter()
    return Health(name, ask(), (perf_counter() - began) * 1000)


def _redis() -> Health:
    return _health("Redis", redis_answers) if settings.REDIS_URL else Health("Redis", None)
