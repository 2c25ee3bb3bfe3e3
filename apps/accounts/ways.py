"""The ways in which somebody can sign in: a password, and accounts on other sites."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.internal.flows import connect
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest

from apps.accounts.models import User
from apps.accounts.social import accounts_of
from apps.errors import Conflict, NotFound
from engine.text import gettext as _


@dataclass(frozen=True, slots=True)
class Offer:
    """A site through which people can sign in here; `address` is where a form that wants to is sent."""

    id: str
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Way:
    """An account on another site. `may_go`: another way in is left without it."""

    id: int
    provider: str
    name: str
    may_go: bool


@dataclass(frozen=True, slots=True)
class Ways:
    """All the ways of one person. `more`: the sites that they could add."""

    has_password: bool
    elsewhere: tuple[Way, ...]
    more: tuple[Offer, ...]


def offers(request: HttpRequest) -> tuple[Offer, ...]:
    """Return the sites that are set up. No query."""
    found = get_adapter().list_providers(request)
    return tuple(Offer(provider.id, provider.name, provider.get_login_url(request)) for provider in found)


def origins(request: HttpRequest) -> list[str]:
    """Return the origins ("https://discord.com") to which a form that begins to sign in is sent on. No query."""
    addresses = [_authorize_url(provider) for provider in get_adapter().list_providers(request)]
    return ["{0.scheme}://{0.netloc}".format(urlsplit(address)) for address in addresses]


def of(request: HttpRequest, user: User) -> Ways:
    """Return how somebody can sign in, and how else they could. One query."""
    possible = {offer.id: offer for offer in offers(request)}
    accounts = accounts_of(user)
    working = {account.pk for account in accounts if account.provider in possible}
    elsewhere = []
    for account in accounts:
        site = possible[account.provider].name if account.pk in working else account.provider.capitalize()
        name = account.get_provider_account().to_str() if account.pk in working else account.uid
        elsewhere.append(Way(account.pk, site, name, user.has_usable_password() or bool(working - {account.pk})))
    taken = {account.provider for account in accounts}
    more = tuple(offer for offer in possible.values() if offer.id not in taken)
    return Ways(user.has_usable_password(), tuple(elsewhere), more)


def remove(request: HttpRequest, user: User, way_id: int) -> None:
    """
    Take one of somebody's ways to sign in from them.

    Raises:
        NotFound: they have no such way.
        Conflict: there would be none left.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two at once must not remove both
        account = next((account for account in accounts_of(user) if account.pk == way_id), None)
        if account is None:
            raise NotFound(_("You have no such way to sign in."))
        try:
            connect.validate_disconnect(request, account)
        except ValidationError:
            raise Conflict(_("This is your only way to sign in. Set a password, or add another site, first.")) from None
        account.delete()


def _authorize_url(provider: Any) -> str:
    return str(getattr(provider, "oauth2_adapter_class", provider).authorize_url)
