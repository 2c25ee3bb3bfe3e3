"""Files that people send: stopped where they are too large, while they come in."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest

from apps.tournaments.exchange.decoding import MAX_BYTES as DOCUMENT
from apps.tournaments.images import MAX_BYTES as PICTURE

__all__ = ["DOCUMENT", "FORM", "PICTURE", "limit"]

FORM = "multipart/form-data"
_REST = 16 * 1024  # bytes of a form that are not its files


class _Bounded(MemoryFileUploadHandler):
    """
    Keeps files in memory, none larger than `at_most` bytes and all together no more than `in_all`.

    Django's own handlers take whatever comes, the larger into temporary files.
    """

    def __init__(self, request: HttpRequest, at_most: int, in_all: int) -> None:
        super().__init__(request)
        self.at_most, self.in_all = at_most, in_all

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],  # noqa: N803 - Django's name
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        if content_length > self.in_all:
            raise RequestDataTooBig
        self.activated = True

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if start + len(raw_data) > self.at_most:
            raise RequestDataTooBig
        return super().receive_data_chunk(raw_data, start)


def limit(request: HttpRequest, *, files: int = 1, at_most: int = PICTURE) -> None:
    """
    Bound what a request may send: so many files of `at_most` bytes each (PICTURE, DOCUMENT), and few other fields.

    Call it before anything reads the request's form, and so before its CSRF token is looked at. Reading the form then
    raises RequestDataTooBig, before anything of it is kept when its head announced too much.
    """
    request.upload_handlers = [_Bounded(request, at_most, files * at_most + _REST)]
