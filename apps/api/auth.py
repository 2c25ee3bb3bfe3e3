"""
Who is asking: the holder of an access token or an API token, or of the site's session cookie, or nobody.

A token that is sent must hold, also where nobody needs to sign in: a client whose token has died should hear it
instead of seeing less. A cookie is sent by the browser whoever wrote the page, so it comes with a CSRF token.
"""

from collections.abc import Mapping
from typing import cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from apps.accounts import api_tokens
from apps.accounts.models import User
from apps.accounts.tokens import SignedIn, from_access_token
from apps.api.errors import Forbidden, TokenRefused
from apps.api.throttle import throttle
from apps.errors import PermissionDenied
from apps.tournaments.permissions import Person
from engine.text import gettext as _


class AccessToken(HttpBearer):
    openapi_bearerFormat = "JWT"  # noqa: N815 - OpenAPI's name
    openapi_description = (
        "From `POST /_allauth/app/v1/auth/login`, `meta.access_token`; renewed at `/_allauth/app/v1/tokens/refresh`. "
        "Or an API token (`dct_…`), which does what its scopes say and nothing about the account."
    )

    def __init__(self, *, programs: bool = True) -> None:
        """Without `programs` the operation is about the account, and API tokens are refused."""
        super().__init__()
        self._programs = programs

    def __call__(self, request: HttpRequest) -> User | None:
        # Not the inherited way, which writes the header to the log when it holds something else.
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return self.authenticate(request, token.strip()) if scheme.lower() == "bearer" else None

    def authenticate(self, request: HttpRequest, token: str) -> User:
        if token.startswith(api_tokens.PREFIX):
            return self._owner(token)
        holder = from_access_token(token)
        if holder is None:
            message = _("This access token is not accepted, or not any more. Refresh it, or sign in again.")
            raise TokenRefused(message)
        request.signed_in = holder  # type: ignore[attr-defined] # see signed_in()
        return holder.user

    def _owner(self, token: str) -> User:
        owner = api_tokens.owner_of(token)
        if owner is None or owner.grant is None:
            message = _("This API token is not accepted, or not any more. Make another one on your page.")
            raise TokenRefused(message)
        throttle.take(owner.grant.token)
        if not self._programs:
            message = _("An API token does nothing about the account. Sign in to do this.")
            raise PermissionDenied(message)
        return owner


class SessionCookie(APIKeyCookie):
    param_name = settings.SESSION_COOKIE_NAME
    openapi_description = "The site's own pages. Whatever changes something needs the header `X-CSRFToken` too."

    def __call__(self, request: HttpRequest) -> User | None:
        return self.authenticate(request, None)

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        if not isinstance(request.user, User):
            return None
        if self.csrf and check_csrf(request) is not None:
            message = _("The CSRF token is missing or old. Load the page again.")
            raise Forbidden(message)
        return request.user


class Nobody:
    """The last resort where signing in is optional."""

    openapi_security_schema: Mapping[str, str] = {}  # named by ninja in the document, taken out again by openapi.py

    def __call__(self, request: HttpRequest) -> AnonymousUser:
        return AnonymousUser()


SIGNED_IN = [AccessToken(), SessionCookie()]
IN_PERSON = [AccessToken(programs=False), SessionCookie()]
ANYBODY = [*SIGNED_IN, Nobody()]
# For what changes nothing although it is a POST: another site cannot read the answer, and has no other use for it.
ANYBODY_WITHOUT_CSRF = [AccessToken(), SessionCookie(csrf=False), Nobody()]


def person(request: HttpRequest) -> Person:
    """Return who is asking; ninja keeps it where the callbacks above have answered."""
    return cast(Person, request.auth)  # type: ignore[attr-defined]


def user(request: HttpRequest) -> User:
    """Return who is asking, in an operation for people who have signed in."""
    return cast(User, person(request))


def signed_in(request: HttpRequest) -> SignedIn | None:
    """Return who is asking and in which session, None for nobody."""
    who = person(request)
    if not isinstance(who, User):
        return None
    by_token: SignedIn | None = getattr(request, "signed_in", None)
    return by_token or SignedIn(who, "" if who.grant else request.session.session_key or "")
