"""Pictures that people send: stopped where they are too large, while they come in."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest

from apps.tournaments.images import MAX_BYTES

FORM = "multipart/form-data"
_REST = 16 * 1024  # bytes of a form that are not its files


class _Pictures(MemoryFileUploadHandler):
    """
    Keeps files in memory, none larger than a picture may be and all together no more than `most` bytes.

    Django's own handlers take whatever comes, the larger into temporary files.
    """

    def __init__(self, request: HttpRequest, most: int) -> None:
        super().__init__(request)
        self.most = most

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],  # noqa: N803 - Django's name
        content_length: int,
        boundary: str,
        encoding: str | None = None,
    ) -> None:
        if content_length > self.most:
            raise RequestDataTooBig
        self.activated = True

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if start + len(raw_data) > MAX_BYTES:
            raise RequestDataTooBig
        return super().receive_data_chunk(raw_data, start)


def limit(request: HttpRequest, *, files: int = 1) -> None:
    """
    Bound what a request may send: so many pictures, and few other fields.

    Call it before anything reads the request's form, and so before its CSRF token is looked at. Reading the form then
    raises RequestDataTooBig, before anything of it is kept when its head announced too much.
    """
    request.upload_handlers = [_Pictures(request, files * MAX_BYTES + _REST)]
