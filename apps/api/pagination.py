"""Lists, one window at a time."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from apps.api.params import Window

Row = TypeVar("Row", bound=Model)


def page(found: QuerySet[Row], window: Window, fields: Callable[[Row], dict[str, Any]]) -> dict[str, Any]:
    """Return the rows in the window, and how many there are in all. Two queries."""
    rows = found[window.offset : window.offset + window.limit]
    return {"items": [fields(row) for row in rows], "count": found.count()}
