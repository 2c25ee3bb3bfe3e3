"""The translations fit what they translate, and are compiled where and when they have to be."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import translation

from deltacrown.catalogues import LOCALE, compile_all
from tests import words_used
from tests.words_used import Used, used

FILES = sorted(LOCALE.glob("*/LC_MESSAGES/*.po"))
PLACEHOLDER = re.compile(r"\{\w*\}|%\(\w+\)[a-z]|%%|%[a-z]\b|<[^>]*>")

SOURCE = """
msgid ""
msgstr "Plural-Forms: nplurals=2; plural=(n != 1);"

msgid "one"
msgstr "eins"

msgid "{count} game"
msgid_plural "{count} games"
msgstr[0] ""
msgstr[1] ""
"""


def messages(path):
    with path.open("rb") as file:
        return [message for message in read_po(file) if message.id]


def forms(message):
    """Yield what is translated by what: of a message with a number, both English forms by each of the others."""
    if isinstance(message.id, str):
        yield message.id, message.string
    else:
        for string in message.string:
            yield message.id[1], string


def test_every_language_that_can_be_chosen_has_its_files():
    assert {path.parent.parent.name for path in FILES} == {code for code, _ in settings.LANGUAGES} - {"en"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_a_translation_is_filled_in_by_what_fills_in_the_original(path):
    wrong = []
    for message in messages(path):
        for original, string in forms(message):
            # "1 match" may stand for one, so a form need not say the number, but nothing that is not there.
            named, known = set(PLACEHOLDER.findall(string)), set(PLACEHOLDER.findall(original))
            optional = set() if isinstance(message.id, str) else {"{count}", "%(count)s"}
            if string and (named - known or known - named - optional):
                wrong.append((original, string))
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_whatever_the_sources_say_is_translated(path):
    """Into every form of the language, and by a person: nothing is left to be looked at again ("fuzzy")."""
    with path.open("rb") as file:
        catalogue = read_po(file)
    translated = {}
    for message in messages(path):
        one, many = (message.id, "") if isinstance(message.id, str) else message.id
        strings = message.string if many else [message.string]
        if all(strings) and len(strings) == (catalogue.num_plurals if many else 1) and not message.fuzzy:
            translated[one, message.context or ""] = many
    missing = [
        f"{file}: {one.text!r}"
        for one, file in used(path.stem).items()
        # What is said both with a number and without one has one entry.
        if translated.get((one.text, one.context)) not in ((one.many,) if one.many else translated.values())
    ]
    assert not missing, "Run make messages, and translate in locale/:\n" + "\n".join(missing)


class TestTheReaderOfSources:
    """It finds what GNU gettext would."""

    def test_python(self):
        source = """
a = _("one" " and two"), words.ngettext("a {count}", "many {count}", n), pgettext("of a door", "open")
b = f"{gettext('three')}"; _(name); label(gettext_lazy("four"), "five")
"""
        assert set(words_used.python_texts(source)) == {
            Used("one and two"), Used("a {count}", "many {count}"), Used("open", context="of a door"),
            Used("three"), Used("four"),
        }  # fmt: skip

    def test_templates(self):
        source = """{% load i18n %}<a title="{% translate 'One' %}">{% translate "None" context "station" %}</a>
{% blocktranslate trimmed with n=x %}
  100 % of {{ n }} <b>here</b>
{% endblocktranslate %}
{% blocktranslate count n=x %}{{ n }} game{% plural %}{{ n }} games{% endblocktranslate %}
{% include "a.html" with label=_("Win") %}{{ name|default:_("nobody") }}"""
        assert set(words_used.template_texts(source)) == {
            Used("One"), Used("None", context="station"), Used("100 %% of %(n)s <b>here</b>"),
            Used("%(n)s game", "%(n)s games"), Used("Win"), Used("nobody"),
        }  # fmt: skip

    def test_scripts(self):
        source = """gettext("it\\'s {name}", { name }); ngettext(
  "{count} change",
  "{count} changes", more)"""
        assert set(words_used.calls_texts(source)) == {Used("it's {name}"), Used("{count} change", "{count} changes")}


class TestCompiling:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        source = tmp_path / "de" / "LC_MESSAGES" / "django.po"
        source.parent.mkdir(parents=True)
        source.write_text(SOURCE)
        return tmp_path

    def test_what_is_newer_than_its_compiled_file_is_compiled(self, folder):
        made = folder / "de" / "LC_MESSAGES" / "django.mo"
        assert compile_all(folder) == [made]
        assert compile_all(folder) == []
        later = made.stat().st_mtime + 1
        os.utime(made.with_suffix(".po"), (later, later))
        assert compile_all(folder) == [made]

    def test_what_is_not_translated_stays_english(self, folder):
        (made,) = compile_all(folder)
        with made.open("rb") as file:
            assert [message.id for message in read_mo(file) if message.id] == ["one"]

    def test_without_compiled_files_the_site_speaks_english(self, tmp_path):
        script = """
from django.conf import settings
settings.LOCALE_PATHS = [settings.VAR_DIR]
import django
django.setup()
from django.utils import translation
from apps.words import gettext
translation.activate("de")
print(gettext("Check-in opens on {opens}.", opens=1))
from apps.web.catalogue import script_words
print(script_words("de"))
"""
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "deltacrown.settings", "VAR_DIR": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines() == ["Check-in opens on 1.", "{}"]


def test_german_tells_one_from_many():
    with translation.override("de"):
        assert translation.ngettext("{count} game", "{count} games", 1) == "{count} Spiel"
        assert translation.ngettext("{count} game", "{count} games", 2) == "{count} Spiele"
