"""
Sentences for people that can be said in another language later.

Whoever refuses something knows neither its reader nor a catalogue. So a sentence is an English `str` that remembers
what it was made of; the edge that knows the reader says it in their language (apps/words.py), and a log has it in
English. The names are gettext's, whose tools find the sentences by them:

    from engine.text import gettext as _
    raise InvalidScore(_("A match has at most {most} games.", most=MAX_GAMES))
"""

from collections.abc import Iterable, Mapping
from typing import Any, Self


class Text(str):
    """
    An English sentence. `template` is what a catalogue has, `values` fill it in, and may be texts themselves.

    `many` is the template for other numbers than one, of which `number` decides; "" where there is none.
    """

    __slots__ = ("many", "number", "template", "values")

    template: str
    many: str
    number: int
    values: Mapping[str, Any]

    def __new__(cls, template: str, values: Mapping[str, Any] | None = None, many: str = "", number: int = 1) -> Self:
        values = values or {}
        chosen = many if many and number != 1 else template
        text = super().__new__(cls, chosen.format_map({name: english(each) for name, each in values.items()}))
        text.template, text.values, text.many, text.number = template, values, many, number
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.template, self.values, self.many, self.number)


class Figure(str):
    """A number as English writes it, with a point: "13.0", "45.5 %". Other languages write a comma."""

    __slots__ = ()


class Listed(str):
    """Values in a row: "a, b, c", or sentences with a space `between` them. `items` are the values."""

    __slots__ = ("between", "items")

    items: tuple[Any, ...]
    between: str

    def __new__(cls, items: Iterable[Any], between: str = ", ") -> Self:
        items = tuple(items)
        text = super().__new__(cls, between.join(english(item) for item in items))
        text.items, text.between = items, between
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.items, self.between)


def gettext(template: str, /, **values: Any) -> Text:
    """Return a sentence; `{name}` in it is filled in from `values`."""
    return Text(template, values)


def ngettext(one: str, many: str, count: int, /, **values: Any) -> Text:
    """Return one of two sentences, as `count` is one or not; `{count}` is a value too."""
    return Text(one, {"count": count, **values}, many=many, number=count)


def gettext_noop(template: str) -> str:
    """Mark a text that is translated where it is used."""
    return template


def english(value: Any) -> str:
    """Return a value as it stands in an English sentence; numbers without zeros at their end."""
    return f"{value:g}" if isinstance(value, float) else str(value)
