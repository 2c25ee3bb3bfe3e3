"""
Sentences, numbers and times in the reader's language: the one that is active, which the edge has set.

Text from below (engine/text.py) is said here; `gettext` and `ngettext` are for whoever knows the reader and speaks at
once. Both fill in `{name}`, as i18n.js does in the browser.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone, translation
from django.utils.dateformat import format as format_date
from django.utils.formats import get_format

from apps.moments import Moment
from engine.text import Figure, Listed, Text, english, gettext_noop

_NUMBER, _BETWEEN_SENTENCES = re.compile(r"\d+"), re.compile(r"(?<=\.) ")
# Django’s format characters: https://docs.djangoproject.com/en/5.2/ref/templates/builtins/#date
_FORMATS = {
    "datetime": gettext_noop("D j M Y, H:i"),
    "moment": gettext_noop("j M Y, H:i"),
    "date": gettext_noop("j M Y"),
    "day": gettext_noop("j M, H:i"),
    "time": gettext_noop("H:i"),
    "clock": gettext_noop("H:i:s"),
}
# What zones are called for short, where a language has its own names. Numbers ("+03") say that they count from UTC.
_ZONES = frozenset({gettext_noop("CET"), gettext_noop("CEST"), gettext_noop("EET"), gettext_noop("EEST")})


def gettext(template: str, /, **values: Any) -> str:
    """Return a sentence in the active language, `{name}` filled in from `values`."""
    return _filled(translation.gettext(template), values)


def ngettext(one: str, many: str, count: int, /, **values: Any) -> str:
    """Return the sentence for a number, which is `{count}` in it."""
    return _filled(translation.ngettext(one, many, count), {"count": count, **values})


def _filled(template: str, values: Mapping[str, Any]) -> str:
    return template.format_map({name: said(value) for name, value in values.items()})


def said(value: Any) -> str:
    """Return a text, number or time from below as the reader reads it; any other value as it is."""
    match value:
        case Text() if value.many:
            text = _filled(translation.ngettext(value.template, value.many, value.number), value.values)
        case Text():
            text = _filled(translation.gettext(value.template), value.values)
        case Listed():
            text = value.between.join(said(item) for item in value.items)
        case Figure() | float():
            text = number(english(value))
        case Moment():
            text = moment(value.at)
        case _:
            text = str(value)
    return text


def remembered(sentence: str) -> str:
    """Return sentences that were kept in English. Of what filled them in, one number is found again: {number}."""
    found = _remembered(sentence)
    return found if found != sentence else " ".join(map(_remembered, _BETWEEN_SENTENCES.split(sentence)))


def _remembered(sentence: str) -> str:
    numbers = _NUMBER.findall(sentence)
    if len(numbers) != 1:
        return translation.gettext(sentence)
    return translation.gettext(_NUMBER.sub("{number}", sentence)).replace("{number}", numbers[0])


def said_within(data: Any) -> Any:
    """Return data for a program, with every text in it as the reader reads it."""
    match data:
        case dict():
            return {key: said_within(value) for key, value in data.items()}
        case list() | tuple():
            return [said_within(value) for value in data]
        case str():
            return said(data)
    return data


def number(text: str) -> str:
    """Return a number that is written with a point ("13.0", "+2.5") as the active language writes it."""
    return text.replace(".", str(get_format("DECIMAL_SEPARATOR")))


def moment(at: datetime, form: str = "moment", *, zone: bool = True) -> str:
    """
    Return a time in the viewer's zone where that is known, else in UTC; with `zone`, its name tells which.

    form: "datetime" with the weekday, "moment", "date", "day" (without the year), "time" (minutes), "clock" (seconds).
    """
    here = timezone.localtime(at)
    shown = format_date(here, translation.gettext(_FORMATS[form]))
    return f"{shown} {zone_name(here)}" if zone and form != "date" else shown


def zone_name(at: datetime) -> str:
    """Return what the zone of a time is called then: "UTC", "CET", "UTC+3"."""
    name = at.tzname() or "UTC"
    if name[:1] not in "+-":
        return translation.gettext(name) if name in _ZONES else name
    hours, minutes = name[1:3].lstrip("0") or "0", name[3:]
    return f"UTC{name[0]}{hours}{minutes and ':'}{minutes}"
