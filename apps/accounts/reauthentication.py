"""Whoever is about to do what cannot be undone shows once more who they are."""

from time import time

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.accounts.models import User
from apps.errors import BadRequest, PermissionDenied, RateLimited
from engine.text import gettext as _


def is_recent(request: HttpRequest, user: User) -> bool:
    """Return whether the person signed in, in this session, within the last REAUTHENTICATION_SECONDS."""
    records = get_authentication_records(request, user)
    return any(time() - record["at"] < settings.REAUTHENTICATION_SECONDS for record in records)


def check(request: HttpRequest, user: User, password: str) -> None:
    """
    Pass a person who gives their password; or, if they have none, who has signed in a moment ago.

    Raises:
        BadRequest: another password.
        RateLimited: too many others; as at sign-in, and counted with those.
        PermissionDenied: signed in too long ago.
    """
    if not user.has_usable_password():
        if not is_recent(request, user):
            raise PermissionDenied(_("You signed in a while ago. Sign out, sign in again, and come back here."))
        return
    try:
        is_right = get_adapter(request).reauthenticate(user, password)
    except ValidationError as error:
        raise RateLimited(" ".join(error.messages)) from error
    if not is_right:
        raise BadRequest(_("This is not your password."), field="password")
