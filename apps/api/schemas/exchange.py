"""The document of a whole tournament, as its own types describe it."""

from typing import Any

import msgspec

from apps.tournaments.exchange.document import Document

_PREFIX = "Exported"  # its parts are called like those of the API, and are others
DOCUMENT = f"{_PREFIX}{Document.__name__}"


def document_schemas() -> dict[str, Any]:
    """Return the schemas of the document and its parts, by their names in the OpenAPI document."""
    _, parts = msgspec.json.schema_components([Document], ref_template=f"#/components/schemas/{_PREFIX}{{name}}")
    return {f"{_PREFIX}{name}": schema for name, schema in parts.items()}
