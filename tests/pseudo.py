"""
A language for tests: of every text it says the English in brackets, so what stands outside of them is not translated.

⟦A match of ⟦Chess⟧⟧ is fine, "A match of ⟦Chess⟧" is not.
"""

import gettext
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.utils.translation import trans_real

CODE = "en-xa"
OPEN, CLOSE = "⟦", "⟧"
# These have no end of their own.
VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"])
READ_ALOUD = ("aria-label", "aria-description", "aria-roledescription", "aria-valuetext", "title", "placeholder", "alt")
LETTERS = re.compile(r"[A-Za-z]{2,}")  # Names in tests/world.py have none.


class Bracketing(gettext.NullTranslations):
    """The catalogue: it has everything."""

    def gettext(self, message: str) -> str:
        return f"{OPEN}{message.rpartition(trans_real.CONTEXT_SEPARATOR)[2]}{CLOSE}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code

    def to_language(self) -> str:
        return self.code


def speak(monkeypatch: pytest.MonkeyPatch, code: str = CODE) -> None:
    """Answer everybody in this language until the test is over. One whose code begins with "ar" runs from the right."""
    monkeypatch.setitem(trans_real._translations, code, Bracketing(code))
    monkeypatch.setattr("django.utils.translation.get_language_from_request", lambda *_args, **_kwargs: code)


def outside(text: str, depth: int = 0) -> tuple[str, int]:
    """Return what stands outside of brackets, of which `depth` are open already, and how many are open after it."""
    left = []
    for character in text:
        depth += (character == OPEN) - (character == CLOSE)
        left.append(character if not depth and character != CLOSE else " ")
    return "".join(left), depth


class Reader(HTMLParser):
    """Collects what a person reads or hears of a page outside of brackets. What has a `lang` of its own is not ours."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.links: list[str] = []
        self.forms: list[tuple[str, dict[str, str]]] = []
        self._within: list[tuple[str, bool]] = []
        self._depth = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        is_name = values.get("translate") == "no" or ("lang" in values and tag != "html")
        is_silent = is_name or tag in ("script", "style", "code", "textarea", "pre")
        if tag not in VOID:
            self._within.append((tag, is_silent))
        if tag == "a":
            self.links.append(values.get("href", ""))
        if tag == "form":
            self.forms.append((values.get("action", ""), {}))
        if tag == "input" and self.forms and values.get("type") == "hidden":
            self.forms[-1][1][values.get("name", "")] = values.get("value", "")
        names = [*READ_ALOUD, *(["value"] if values.get("type") in ("submit", "button", "reset") else [])]
        for name in names if not is_name else ():
            self._note(outside(values.get(name, ""))[0])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._within.pop()

    def handle_endtag(self, tag: str) -> None:
        while self._within and self._within.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(is_silent for _, is_silent in self._within):
            text, self._depth = outside(data, self._depth)
            self._note(text)

    def _note(self, text: str) -> None:
        if LETTERS.search(text):
            self.found.append(" ".join(text.split()))

    def untranslated(self, same_everywhere: re.Pattern[str]) -> Iterator[str]:
        """Yield the texts that are not translated and not the same in every language."""
        for text in self.found:
            if LETTERS.search(same_everywhere.sub("", text)):
                yield text
