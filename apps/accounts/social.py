"""Rules for signing in through another site that allauth asks us for."""

import re
from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.ratelimit import consume_or_429
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest
from django.urls import reverse

from apps.accounts.models import User

# Of what a provider tells about a person only what names the account on /me/ is kept.
_KEPT = ("username", "global_name", "discriminator", "login", "personaname")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._-]")
_SUGGESTED_AT_MOST = 30


class NotOffered(SocialApp.DoesNotExist, Http404):  # type: ignore[misc] # allauth has no types
    """No such provider is set up: for allauth no such app, for whoever asks for its address no such page."""


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """
    Providers come from the settings; an account of theirs is linked by whoever has signed in here, never by a mail.

    An e-mail address that a provider tells, verified or not, is what the sign-up form begins with. Whoever has an
    account of that address is told to sign in with it and to add the provider there.
    """

    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        providers: dict[str, Any] = settings.SOCIALACCOUNT_PROVIDERS
        return [
            SocialApp(provider=name, name=name, **of["APP"])
            for name, of in providers.items()
            if provider in (None, name) and client_id in (None, of["APP"]["client_id"])
        ]

    def get_app(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        for app in self.list_apps(request, provider, client_id):
            return app
        raise NotOffered("This site does not offer that way to sign in.")

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Count attempts as those with a password are counted: together, by address."""
        if request.method == "POST" and (refusal := consume_or_429(request, action="signup")):
            raise ImmediateHttpResponse(refusal)
        return bool(super().is_open_for_signup(request, sociallogin))

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> Any:
        told = sociallogin.account.extra_data
        sociallogin.account.extra_data = {name: told[name] for name in _KEPT if told.get(name)}
        return super().populate_user(request, sociallogin, {"email": data.get("email"), "username": data["username"]})

    def get_signup_form_initial_data(self, sociallogin: Any) -> dict[str, Any]:
        initial: dict[str, Any] = super().get_signup_form_initial_data(sociallogin)
        return initial | {"username": _suggested(initial["username"])}

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        """Keep of the provider's addresses only the one that the person has left in the form."""
        if form is not None:
            chosen = form.cleaned_data["email"].lower()
            sociallogin.email_addresses = [a for a in sociallogin.email_addresses if a.email.lower() == chosen]
        return super().save_user(request, sociallogin, form)

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: Any) -> str:
        return reverse("me")

    def validate_disconnect(self, account: Any, accounts: Any) -> None:
        """Refuse to remove the last way in. A provider that the site has stopped to offer is none."""
        others = accounts.exclude(pk=account.pk).filter(provider__in=list(settings.SOCIALACCOUNT_PROVIDERS))
        if not account.user.has_usable_password() and not others.exists():
            raise self.validation_error("no_password")


def accounts_of(user: User) -> list[Any]:
    """Return the accounts elsewhere through which a person can sign in, the oldest first. One query."""
    return list(SocialAccount.objects.filter(user=user).order_by("pk"))


def _suggested(name: str) -> str:
    """Return a user name that is free and reads like `name`, "" when nothing of it can be kept."""
    plain = _NOT_PLAIN.sub("", name)[:_SUGGESTED_AT_MOST].strip("._-")
    adapter = get_account_adapter()
    for candidate in (plain, *(f"{plain}{number}" for number in range(2, 10))):
        try:
            adapter.clean_username(candidate)
        except ValidationError:
            continue
        if len(candidate) >= settings.ACCOUNT_USERNAME_MIN_LENGTH:
            return candidate
    return ""
