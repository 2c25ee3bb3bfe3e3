"""What sign-up checks besides allauth's own fields."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.accounts.models import User


class SignupForm(forms.Form):
    """
    The base of allauth's sign-up forms.

    The form of a page compares the password with the user name and the address. The one behind the API, whose field
    is `password`, looks at the password alone, so "annabelle" could choose "annabelle" there.
    """

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if password := cleaned.get("password"):
            user = User(username=cleaned.get("username", ""), email=cleaned.get("email", ""))
            try:
                validate_password(password, user)
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned

    def signup(self, request: HttpRequest, user: User) -> None:
        """Called by allauth once the account exists; there is nothing to add."""
