"""What every refusal looks like (RFC 9457)."""

from typing import Any

from pydantic import BaseModel, Field

from apps.errors import ErrorCode


class Problem(BaseModel):
    """Programs branch on `code`, people read `detail`."""

    type: str
    title: str
    status: int
    code: ErrorCode
    detail: str
    data: dict[str, Any] = Field(
        description="Facts for programs: how things stand now (`conflict`), which fields are wrong (`invalid_schema`)."
    )
