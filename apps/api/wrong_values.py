"""
What is wrong with a value, in the reader's language.

Pydantic says which rule a value breaks, and with which limits: https://docs.pydantic.dev/latest/errors/validation_errors/
Its own sentences are English, so here are ours by the names of its rules; one that is missing is said in English.
"""

from collections.abc import Mapping
from typing import Any

from apps.words import gettext, ngettext, remembered
from engine.text import gettext_noop as _

_SENTENCES = {
    "missing": _("This is missing"),
    "extra_forbidden": _("There is a field that is not known here"),
    "int_type": _("This must be a whole number"),
    "int_parsing": _("This must be a whole number"),
    "int_from_float": _("This must be a whole number"),
    "int_parsing_size": _("This number is too large"),
    "float_type": _("This must be a number"),
    "float_parsing": _("This must be a number"),
    "finite_number": _("This must be a finite number"),
    "multiple_of": _("This must be a multiple of {multiple_of}"),
    "greater_than": _("This must be more than {gt}"),
    "greater_than_equal": _("This must be at least {ge}"),
    "less_than": _("This must be less than {lt}"),
    "less_than_equal": _("This must be at most {le}"),
    "bool_type": _("This must be true or false"),
    "bool_parsing": _("This must be true or false"),
    "string_type": _("This must be a text"),
    "string_unicode": _("This must be a text of valid characters"),
    "string_pattern_mismatch": _("This must have the form {pattern}"),
    "enum": _("This must be {expected}"),
    "literal_error": _("This must be {expected}"),
    "list_type": _("This must be a list"),
    "dict_type": _("This must be an object"),
    "model_type": _("This must be an object"),
    "model_attributes_type": _("This must be an object"),
    "none_required": _("This must be null"),
    "url_type": _("This must be an address"),
    "url_parsing": _("This must be an address"),
}


def sentence(error: Mapping[str, Any]) -> str:
    """Return what one of pydantic's errors says, without anything of the value; rules of our own say it themselves."""
    kind, limits = error["type"], error.get("ctx", {})
    match kind:
        case "string_too_short":
            text = ngettext(
                "This must have at least {count} character", "This must have at least {count} characters",
                limits["min_length"],
            )  # fmt: skip
        case "string_too_long":
            text = ngettext(
                "This can have at most {count} character", "This can have at most {count} characters",
                limits["max_length"],
            )  # fmt: skip
        case "too_short":
            text = ngettext(
                "This must have at least {count} item", "This must have at least {count} items", limits["min_length"]
            )
        case "too_long":
            text = ngettext(
                "This can have at most {count} item", "This can have at most {count} items", limits["max_length"]
            )
        case _ if kind in _SENTENCES:
            text = gettext(_SENTENCES[kind], **{**limits, "expected": _alternatives(limits)})
        case _:
            text = remembered(error["msg"])
    return text


def _alternatives(limits: Mapping[str, Any]) -> str:
    """Return "'a', 'b' or 'c'" in the reader's language."""
    before, _either, last = str(limits.get("expected", "")).rpartition(" or ")
    return gettext("{before} or {last}", before=before, last=last) if before else last
