"""How often a person may ask for what costs the site much."""

from allauth.core.ratelimit import consume_or_429
from django.http import HttpRequest, HttpResponse

from apps.accounts.models import User


def refused_download(request: HttpRequest, user: User) -> HttpResponse | None:
    """Count a download of one's own data; return the refusal of one too many (see ACCOUNT_RATE_LIMITS)."""
    refusal: HttpResponse | None = consume_or_429(request, action="data_download", user=user, limit_get=True)
    return refusal
