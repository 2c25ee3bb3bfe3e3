"""A person at a browser without JavaScript: reads pages, fills in the forms that stand on them, sends them."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User


class _Forms(HTMLParser):
    """The forms of a page: for each the address and the fields with the values they would send."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self._textarea = self._select = ""
        self._in_form = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            method = values.get("method", "get")
            self.forms.append({"action": values.get("action", ""), "method": method, "fields": {}, "buttons": []})
            self._in_form = True
        if not self._in_form:
            return
        form = self.forms[-1]
        if tag == "input" and "name" in values:
            choice = values.get("type") in ("checkbox", "radio")
            if not choice or "checked" in values:
                form["fields"][values["name"]] = values.get("value", "on" if choice else "")
        if tag == "select":
            self._select = values["name"]
        if tag == "option" and self._select and ("selected" in values or self._select not in form["fields"]):
            form["fields"][self._select] = values.get("value", "")
        if tag == "textarea":
            self._textarea = values["name"]
            form["fields"][self._textarea] = ""
        if tag == "button":
            form["buttons"].append((values.get("name", ""), values.get("value", ""), values.get("formaction", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._in_form = False
        if tag == "textarea":
            self._textarea = ""
        if tag == "select":
            self._select = ""

    def handle_data(self, data: str) -> None:
        if self._textarea and self.forms:
            self.forms[-1]["fields"][self._textarea] += data


class Visitor:
    """One person with one browser. `response` is the page that is open."""

    def __init__(self, user: User | None = None) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.user = user
        if user is not None:
            self.client.force_login(user)
        self.response: Any = None

    @property
    def html(self) -> str:
        return str(self.response.content.decode())

    @property
    def text(self) -> str:
        """What can be read on the page: no tags, no data for scripts."""
        without_data = re.sub(r"<script.*?</script>", "", self.html, flags=re.DOTALL)
        return " ".join(re.sub(r"<[^>]+>", " ", without_data).split())

    @property
    def sentence(self) -> str:
        """What is said about a form that was refused."""
        found = re.search(r'id="failure".*?<p>(.*?)</p>', self.html, flags=re.DOTALL)
        return found.group(1) if found else ""

    def open(self, path: str) -> "Visitor":
        self.response = self.client.get(path)
        return self

    def form(self, action: str) -> dict[str, str]:
        """Return what the form that posts to `action`, else one that asks it, would send. Fails when there is none."""
        forms = sorted(_Forms(self.html).forms, key=lambda form: form["method"] != "post")
        found = [form["fields"] for form in forms if form["action"] == action]
        assert found, f"no form to {action}; there are {[form['action'] for form in forms]}"
        return dict(found[0])

    def has_form(self, action: str) -> bool:
        return any(form["action"] == action for form in _Forms(self.html).forms)

    def send(self, action: str, *, to: str = "", **typed: Any) -> "Visitor":
        """Fill in and send a form of the page that is open, and follow the redirect."""
        fields = self.form(action) | {name.replace("__", "-"): str(value) for name, value in typed.items()}
        self.post(to or action, fields)
        return self

    def post(self, path: str, fields: dict[str, str]) -> "Visitor":
        self.response = self.client.post(path, fields)
        self.status = self.response.status_code
        if self.status == 302:
            self.response = self.client.get(self.response["Location"])
        return self


@pytest.fixture
def visitor() -> Callable[..., Visitor]:
    return Visitor
