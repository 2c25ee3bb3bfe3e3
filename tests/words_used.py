"""
The texts that the sources want translated, found by reading them: no GNU gettext is needed, and no .po file believed.

Python by its syntax tree, templates by Django's own reader of them, scripts by a pattern, which is enough for ours.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from django.utils.translation.template import templatize

ROOT = Path(__file__).parent.parent
SOURCES = ("apps", "engine", "deltacrown")
ONE = frozenset({"_", "gettext", "gettext_lazy", "gettext_noop"})
MANY = frozenset({"ngettext", "ngettext_lazy"})
IN_CONTEXT = frozenset({"pgettext", "pgettext_lazy"})
STRING = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
CALL = re.compile(
    rf"\b(?P<name>_|gettext|ngettext|pgettext|npgettext)\(\s*{STRING}(?:\s*,\s*{STRING})?(?:\s*,\s*{STRING})?",
    re.DOTALL,
)


class Used(NamedTuple):
    """`many` and `context` are "" where there is none."""

    text: str
    many: str = ""
    context: str = ""


def used(domain: str) -> dict[Used, str]:
    """Return what is to be translated, and a file that says it; "django" is Python and templates."""
    suffixes = (
        {".py": python_texts, ".html": template_texts, ".txt": template_texts}
        if domain == "django"
        else {".js": calls_texts}
    )
    found: dict[Used, str] = {}
    for path in sorted(path for folder in SOURCES for path in (ROOT / folder).rglob("*") if path.suffix in suffixes):
        if path.suffix != ".txt" or "templates" in path.parts:
            for one in suffixes[path.suffix](path.read_text(encoding="utf-8")):
                found.setdefault(one, str(path.relative_to(ROOT)))
    return found


def python_texts(source: str) -> Iterator[Used]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if name in ONE and texts:
                yield Used(texts[0])
            elif name in MANY and len(texts) > 1:
                yield Used(*texts[:2])
            elif name in IN_CONTEXT and len(texts) > 1:
                yield Used(texts[1], context=texts[0])


def template_texts(source: str) -> Iterator[Used]:
    yield from calls_texts(templatize(source))


def calls_texts(source: str) -> Iterator[Used]:
    for match in CALL.finditer(source):
        texts = [ast.literal_eval(text) for text in match.groups()[1:] if text]
        match match["name"]:
            case "_" | "gettext":
                yield Used(texts[0])
            case "ngettext":
                yield Used(*texts[:2])
            case "pgettext":
                yield Used(texts[1], context=texts[0])
            case "npgettext":
                yield Used(*texts[1:3], context=texts[0])
