"""What a command is told by a file."""

import hashlib
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Uploaded(Generic[T]):
    """
    What was read from a file. A command sent again under its id is the same when its file is the same byte for byte;
    what was read is left out of that, since it would be megabytes of text.
    """

    digest: str
    content: T = field(repr=False)

    @classmethod
    def of(cls, data: bytes, content: T) -> "Uploaded[T]":
        return cls(hashlib.sha256(data).hexdigest(), content)
