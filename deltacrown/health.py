"""
Whether this process lives, and whether it should be sent work.

`/healthz`: the process answers. `/readyz`: it can reach the database, and Redis when one is configured, and is not
ending. `/metrics`: how this process does, for whoever has METRICS_TOKEN.
"""

from secrets import compare_digest

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis import Redis, RedisError

from apps.tournaments.realtime.drain import drain

logger = structlog.get_logger(__name__)


def healthz(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(_request: HttpRequest) -> JsonResponse:
    """Answer 200, or 503 with the name of what is missing. Redis down is "degraded": updates still arrive, later."""
    if drain.is_on:
        return JsonResponse({"status": "draining"}, status=503)
    checks = {"database": database_answers(), **({"redis": redis_answers()} if settings.REDIS_URL else {})}
    ready = checks["database"]
    status = "ok" if all(checks.values()) else "degraded" if ready else "unavailable"
    return JsonResponse({"status": status, "checks": checks}, status=200 if ready else 503)


def metrics(request: HttpRequest) -> HttpResponse:
    """
    Answer in Prometheus' text format; 403 without `Authorization: Bearer <METRICS_TOKEN>`.

    Where a request comes from says nothing here: behind a proxy on this machine, all come from this machine.
    """
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ").encode()
    if not settings.METRICS_TOKEN or not compare_digest(sent, settings.METRICS_TOKEN.encode()):
        return HttpResponse("Figures are for the operator: set METRICS_TOKEN and send it.\n", "text/plain", 403)
    return HttpResponse(generate_latest(), CONTENT_TYPE_LATEST)


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        logger.warning("readyz_database", error=type(error).__name__)
        return False
    return True


def redis_answers() -> bool:
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as client:
            return bool(client.ping())
    except RedisError as error:
        logger.warning("readyz_redis", error=type(error).__name__)
        return False
