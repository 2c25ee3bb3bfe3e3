"""Rules for accounts that allauth asks us for."""

import re

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.client_ip import client_ip
from engine.text import gettext as _

_USERNAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", re.IGNORECASE)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth has no types
    """User names are shown everywhere, so they are plain: letters, digits, and single marks inside."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that allauth's own limits count."""
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").encode("latin-1", "replace")
        return client_ip(request.META.get("REMOTE_ADDR"), [(b"x-forwarded-for", forwarded)])

    def clean_username(self, username: str, shallow: bool = False) -> str:  # noqa: FBT001, FBT002 - allauth's signature
        if not _USERNAME.fullmatch(username):
            message = _("A user name has letters, digits, and . _ - between them.")
            raise ValidationError(message, code="invalid")
        return str(super().clean_username(username, shallow=shallow))
