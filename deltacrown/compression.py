"""Pages, scripts and data go out compressed where no proxy does that."""

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

# What shrinks: the rest (pictures, archives) is compressed already.
SHRINKS = ("text/", "application/json", "application/problem+json", "application/manifest+json", "image/svg+xml")


class CompressionMiddleware(GZipMiddleware):
    """
    Compresses text for whoever accepts it; each answer with a random length against guessing its secrets (BREACH).

    A stream is left alone: it would be kept back until there is enough of it to compress.
    """

    async_capable = False  # its neighbour is synchronous: one switch of threads serves both

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.streaming or not response.get("Content-Type", "").startswith(SHRINKS):
            return response
        return super().process_response(request, response)
