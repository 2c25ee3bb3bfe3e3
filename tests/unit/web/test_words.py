"""No template says a word that cannot be translated."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.template.base import Lexer, Token, TokenType

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted(ROOT.glob("apps/*/templates/**/*.html"))

# Names, units, a format of files, the start of an address and of a token; in the style guide, entrants.
SAME_EVERYWHERE = re.compile(r"https://\S+|\b(?:DeltaCrown|Discord|API|ms|dct_|Argentina|France|Croatia)(?!\w)")
# What a filter falls back to that no person reads: a mode of a keyboard, a colour, an attribute for the style sheet.
FOR_MACHINES = {"numeric", "#2f6fed", "yes,no"}
READ_ALOUD = {"aria-label", "aria-description", "title", "placeholder", "alt"}
CUT = "\0"  # in the place of a tag like {% if %}: what is on its two sides is not one text
LETTER = re.compile(r"[^\W\d_]")
# Words given to a part of a page, or shown where a value is missing: label="Win", name|default:"Home".
GIVEN = re.compile(r"""\b(?:label|hint|words|what)=(["'])(?P<text>.*?)\1""")
FALLBACK = re.compile(r"""\|(?:default|default_if_none|yesno|pluralize):(["'])(?P<text>.*?)\1""")


class Reader(HTMLParser):
    """Collects (line, text) of what a person reads or hears."""

    def __init__(self):
        super().__init__()
        self.found, self.hidden = [], 0

    def handle_starttag(self, tag, attrs):
        self.hidden += tag in ("script", "style")
        values = dict(attrs)
        names = READ_ALOUD | ({"value"} if values.get("type") in ("submit", "button", "reset") else set())
        line, text = self.getpos()[0], self.get_starttag_text()
        for name in names & values.keys():
            before = text[: text.index(f"{name}=")]
            self.found.append((line + before.count("\n"), values[name].strip()))

    def handle_endtag(self, tag):
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data):
        line = self.getpos()[0]
        for part in [] if self.hidden else data.split(CUT):
            skipped = part[: len(part) - len(part.lstrip())]
            self.found.append((line + skipped.count("\n"), " ".join(part.split())))
            line += part.count("\n")


def in_tag(token: Token):
    """Yield the constants of a tag or variable that a person reads; `_("…")` is translated, and not among them."""
    patterns = [FALLBACK]
    if token.token_type is TokenType.BLOCK and token.split_contents()[0] in ("include", "with"):
        patterns.append(GIVEN)
    for pattern in patterns:
        for match in pattern.finditer(token.contents):
            if match["text"] not in FOR_MACHINES:
                yield match["text"]


def untranslated(source):
    """Return the (line, text) of every text in a template's source that is not translated."""
    found, markup, closing, in_markup = [], [], "", False
    for token in Lexer(source).tokenize():
        if token.token_type is TokenType.BLOCK:
            name = token.split_contents()[0]
            if name == closing:
                closing = ""
            elif name in ("blocktranslate", "comment"):
                closing = f"end{name}"
        if token.token_type is TokenType.TEXT:
            opened, closed = token.contents.rfind("<"), token.contents.rfind(">")
            in_markup = in_markup if opened == closed else opened > closed  # equal: both -1
            markup.append("\n" * token.contents.count("\n") if closing else token.contents)
        elif token.token_type is not TokenType.COMMENT:
            found += [(token.lineno, text) for text in in_tag(token)]
            markup.append("" if token.token_type is TokenType.VAR or in_markup else CUT)
    reader = Reader()
    reader.feed("".join(markup))
    reader.close()
    found += reader.found
    return sorted((line, text) for line, text in found if LETTER.search(SAME_EVERYWHERE.sub("", text)))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_of_a_template_can_be_translated(path):
    name = path.relative_to(ROOT)
    wrong = [f'{name}:{line}: "{text}"' for line, text in untranslated(path.read_text(encoding="utf-8"))]
    assert not wrong, "Put these into {% translate %} or {% blocktranslate %}:\n" + "\n".join(wrong)


def test_a_word_outside_of_the_tags_is_found():
    source = """{% load i18n %}
<title>Teams · DeltaCrown</title>
<p class="quiet">{% translate "Fine" %}, {{ name|default:_("Nobody") }} {% blocktranslate %}won {{ n }}
  times{% endblocktranslate %} {# a note #}{% comment %}left
  out{% endcomment %} × 3 – API</p>
<script>const word = 1;</script>
<a data-on="match_*"
   title="See {{ name }}" aria-label="{% translate 'Fine' %}">
  of {{ n }} match{{ n|pluralize:"es" }}{% if n %} in all{% endif %}</a>
<input type="submit" value="Send"><input value="3 a">
{% include "part.html" with label="Win" kind="a" hint=_("optional") %}
{{ home|default:"Home" }}
"""
    assert untranslated(source) == [
        (2, "Teams · DeltaCrown"), (8, "See"), (9, "es"), (9, "in all"), (9, "of match"),
        (10, "Send"), (11, "Win"), (12, "Home"),
    ]  # fmt: skip
