"""Whole rows as JSON, and back: what an undo has to put back exactly."""

import json
from collections.abc import Iterable
from typing import Any, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

Row = TypeVar("Row", bound=models.Model)


def dumped(row: models.Model) -> dict[str, Any]:
    """Return every column of a row as JSON has it."""
    columns = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return dict(json.loads(json.dumps(columns, cls=DjangoJSONEncoder)))


def put_back(row: models.Model, columns: dict[str, Any]) -> None:
    """Set every column of a row to what `dumped` said."""
    for field in row._meta.concrete_fields:
        setattr(row, field.attname, field.to_python(columns[field.attname]))


def rebuilt(kind: type[Row], dumps: Iterable[dict[str, Any]]) -> list[Row]:
    """Return rows that are not in the database any more, with the ids that they had."""
    rows = []
    for columns in dumps:
        row = kind()
        put_back(row, columns)
        rows.append(row)
    return rows
