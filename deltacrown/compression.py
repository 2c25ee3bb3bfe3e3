"""Pages travel compressed; what is compressed already, or compared byte for byte, does not pass here."""

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

_COMPRESSED = ("text/html", "text/css", "application/json", "application/problem+json")


class CompressionMiddleware(GZipMiddleware):
    """
    Compresses pages and answers of the API. Each grows by a random length, and forms carry a masked token, so that
    nothing secret in a page can be guessed from its size (BREACH).
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.get("Content-Type", "").partition(";")[0] not in _COMPRESSED:
            return response
        return super().process_response(request, response)
