"""
Whether this process lives, and whether it should be sent work.

`/healthz`: the process answers. `/readyz`: it can reach the database, and Redis when one is configured.
"""

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from redis import Redis, RedisError

logger = structlog.get_logger(__name__)


def healthz(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def readyz(_request: HttpRequest) -> JsonResponse:
    """Answer 200, or 503 with the name of what is missing. Redis down is "degraded": updates still arrive, later."""
    checks = {"database": _database(), **({"redis": _redis()} if settings.REDIS_URL else {})}
    ready = checks["database"]
    status = "ok" if all(checks.values()) else "degraded" if ready else "unavailable"
    return JsonResponse({"status": status, "checks": checks}, status=200 if ready else 503)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        logger.warning("readyz_database", error=type(error).__name__)
        return False
    return True


def _redis() -> bool:
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as client:
            return bool(client.ping())
    except RedisError as error:
        logger.warning("readyz_redis", error=type(error).__name__)
        return False
