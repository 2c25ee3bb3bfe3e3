"""Alive, ready, and silent about secrets."""

import json
import logging

import pytest
from django.db import DatabaseError, connection

from deltacrown.logging import hide_secrets

pytestmark = pytest.mark.django_db


def test_a_process_that_answers_is_alive_without_asking_anybody(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_with_the_database(client, settings):
    settings.REDIS_URL = ""
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "checks": {"database": True}})


def test_not_ready_without_the_database(client, settings, monkeypatch):
    settings.REDIS_URL = ""

    def gone(*_args):
        raise DatabaseError

    monkeypatch.setattr(connection, "cursor", gone)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")


def test_abuse_56_degraded_but_ready_without_redis(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "degraded", "checks": {"database": True, "redis": False}}


def test_ready_with_redis(client, settings, redis_url):
    settings.REDIS_URL = redis_url
    assert client.get("/readyz").json()["checks"]["redis"] is True


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyOjEifQ.c2lnbmF0dXJlLXRoYXQtaXMtc2VjcmV0"


@pytest.mark.parametrize(
    "line",
    [
        f"GET /ws/tournament/1/?token={JWT}&since=a:1",
        f"GET /ws/tournament/1/?since=a:1&token={JWT}",
        f"Sec-WebSocket-Protocol: deltacrown.v1, bearer.{JWT}",
        f"Authorization: Bearer {JWT}",
        f"{{'HTTP_AUTHORIZATION': 'Bearer {JWT}'}}",
        f"tokens are {JWT}, {JWT}",
        json.dumps({"access_token": JWT}),
        f"Conflict: /join/12-{JWT}/take/",
        f"Forbidden: /notifications/off/{JWT}/",
    ],
)
def test_a_line_of_log_loses_its_tokens_and_keeps_the_rest(line):
    safe = hide_secrets(line)
    assert JWT not in safe
    assert "secret" not in safe
    assert "***" in safe
    assert safe.replace("***", "").strip()


def test_what_any_logger_writes_passes_the_filter(capfd):
    root = logging.getLogger()
    formatters = [handler.formatter for handler in root.handlers if "Safe" in type(handler.formatter).__name__]
    assert formatters, "the handler of deltacrown.logging is in place"
    record = logging.LogRecord("other.library", logging.INFO, "x.py", 1, "seen %s", (f"token={JWT}",), None)
    assert JWT not in formatters[0].format(record)


def test_an_error_in_a_log_shows_no_local_variables():
    (formatter,) = [h.formatter for h in logging.getLogger().handlers if "Safe" in type(h.formatter).__name__][:1]

    def fails(password: str) -> None:
        raise RuntimeError("broken")

    try:
        fails("hunter" + "2")
    except RuntimeError as error:
        info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "x.py", 1, "failed", (), info)
    text = formatter.format(record)
    assert "RuntimeError: broken" in text
    assert "hunter2" not in text
