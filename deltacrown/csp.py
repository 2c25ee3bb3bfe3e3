"""What a page of the site may load: what the site itself serves, and nothing that stands in the page."""

from collections.abc import Callable

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse

from apps.accounts import ways

HEADER = "Content-Security-Policy"
_POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'"


class ContentSecurityPolicyMiddleware:
    """
    Give every page the policy, unless its view has one of its own.

    Rooms are named beside 'self', which not every browser takes for a WebSocket's. Who may frame a page is said by
    X-Frame-Options.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if response.get("Content-Type", "").startswith("text/html") and HEADER not in response:
            # A form that begins to sign in through another site is sent on there, which counts as its target, too.
            response[HEADER] = " ".join((f"{_POLICY}{_rooms(request)}; form-action 'self'", *ways.origins(request)))
        return response


def _rooms(request: HttpRequest) -> str:
    try:
        host = request.get_host()
    except DisallowedHost:  # the page says so, and opens no room
        return ""
    return f"; connect-src 'self' ws://{host} wss://{host}"
