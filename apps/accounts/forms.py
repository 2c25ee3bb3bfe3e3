"""What sign-up checks besides allauth's own fields."""

from typing import Any

from allauth.core import context, ratelimit
from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.accounts.models import User
from apps.words import gettext
from engine.text import gettext_noop

_MADE = "account_made"  # the name of the limit in ACCOUNT_RATE_LIMITS
_TOO_MANY = gettext_noop(
    "{number} accounts were made from your address in the last hour. Try again in an hour; at an event, ask whoever "
    "runs the site to allow more."
)


class SignupForm(forms.Form):
    """
    The base of allauth's sign-up forms.

    The form of a page compares the password with the user name and the address. The one behind the API, whose field
    is `password`, looks at the password alone, so "annabelle" could choose "annabelle" there.

    Accounts are counted by address when they are made: whoever mistypes uses nothing up.
    """

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if password := cleaned.get("password"):
            user = User(username=cleaned.get("username", ""), email=cleaned.get("email", ""))
            try:
                validate_password(password, user)
            except ValidationError as error:
                self.add_error("password", error)
        if not ratelimit.consume(context.request, action=_MADE, dry_run=True):
            raise ValidationError(gettext(_TOO_MANY, number=settings.SIGNUPS_PER_HOUR), code="too_many_signups")
        return cleaned

    def signup(self, request: HttpRequest, user: User) -> None:
        """Called by allauth once the account exists."""
        ratelimit.consume(request, action=_MADE)
