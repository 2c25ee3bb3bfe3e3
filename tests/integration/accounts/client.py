"""Accounts as an app sees them: allauth's headless API, with the tokens that it gives."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests.factories import PASSWORD

HERE = "/_allauth/app/v1"


def call(method: str, path: str, body: Any = None, *, token: str = "") -> HttpResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    content = "" if body is None else json.dumps(body)
    client = Client(enforce_csrf_checks=True, headers=headers)
    return client.generic(method, f"{HERE}{path}", content, content_type="application/json" if content else "")


def sign_up(**fields: str) -> HttpResponse:
    body = {"username": "ann", "email": "ann@example.test", "password": PASSWORD}
    return call("POST", "/auth/signup", {**body, **fields})


def sign_in(password: str = PASSWORD, **login: str) -> HttpResponse:
    return call("POST", "/auth/login", {**(login or {"username": "ann"}), "password": password})


def tokens(answer: HttpResponse) -> tuple[str, str]:
    """Return the access token and the refresh token of an answer that must hold them."""
    assert answer.status_code == 200, answer.content
    meta = answer.json()["meta"]
    return meta["access_token"], meta["refresh_token"]


def who(token: str) -> str | None:
    """Return the user name that the API knows the holder of a token by, None when it is not accepted."""
    answer = Client(headers={"Authorization": f"Bearer {token}"}).get("/api/v1/me")
    assert answer.status_code in (200, 401)
    return answer.json()["username"] if answer.status_code == 200 else None


def complaints(answer: HttpResponse) -> dict[str, str]:
    """Return which fields were refused, and the code of each refusal."""
    assert answer.status_code == 400, answer.content
    return {error["param"]: error["code"] for error in answer.json()["errors"]}
