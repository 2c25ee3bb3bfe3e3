"""The API as its users see it: requests with the site's cookie, or with an access token; answers as JSON."""

import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from apps.accounts.models import User
from tests.factories import PASSWORD

PROBLEM = "application/problem+json"


class Person:
    """Somebody who asks: signed in to the site, or, without a user, a guest."""

    def __init__(self, user: User | None = None, *, token: str = "") -> None:
        self.client = Client(headers={"Authorization": f"Bearer {token}"} if token else None)
        if user is not None:
            self.client.force_login(user)

    def get(self, path: str, **query: Any) -> HttpResponse:
        return self.client.get(f"/api/v1{path}", query)

    def post(self, path: str, body: Any = None, *, key: str = "") -> HttpResponse:
        return self._send("POST", path, body, key)

    def put(self, path: str, body: Any = None, *, key: str = "") -> HttpResponse:
        return self._send("PUT", path, body, key)

    def patch(self, path: str, body: Any = None, *, key: str = "") -> HttpResponse:
        return self._send("PATCH", path, body, key)

    def delete(self, path: str, *, key: str = "") -> HttpResponse:
        return self._send("DELETE", path, None, key)

    def upload(self, path: str, content: bytes, *, key: str = "", name: str = "screen.png") -> HttpResponse:
        """Send a file as a browser's form does."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.client.post(f"/api/v1{path}", {"file": SimpleUploadedFile(name, content)}, headers=headers)

    def _send(self, method: str, path: str, body: Any, key: str) -> HttpResponse:
        content = "" if body is None else json.dumps(body)
        headers = {"Idempotency-Key": key} if key else {}
        return self.client.generic(method, f"/api/v1{path}", content, content_type="application/json", headers=headers)


def sign_in(user: User, password: str = PASSWORD) -> dict[str, str]:
    """Sign in over the API and return {"access_token", "refresh_token", …}."""
    body = {"username": user.username, "password": password}
    answer = Client().post("/_allauth/app/v1/auth/login", body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()["meta"]


def ok(answer: HttpResponse, status: int = 200) -> Any:
    """Return the body of an answer that must have succeeded."""
    assert answer.status_code == status, (answer.status_code, answer.content[:500])
    assert answer["Content-Type"].partition(";")[0] == "application/json"
    return answer.json()


def refused(answer: HttpResponse, status: int, code: str) -> Any:
    """Return the problem of an answer that must be this refusal."""
    body = answer.json()
    assert (answer.status_code, body.get("code")) == (status, code), answer.content[:500]
    assert answer["Content-Type"] == PROBLEM
    assert body.keys() == {"type", "title", "status", "code", "detail", "data"}
    assert body["status"] == status
    assert body["detail"]
    return body
