"""
Sign-in through Steam, which speaks OpenID 2.0 and nothing newer.

Only what Steam needs of it is here: one provider whose addresses are known, and which is asked about every assertion
(check_authentication, OpenID 2.0 §11.4.2). Nothing is discovered, so no address that a browser sends is ever fetched,
and nothing has to be kept between two requests but the state in the session.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlencode

import structlog
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base import Provider, ProviderAccount, ProviderException
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from requests import RequestException

logger = structlog.get_logger(__name__)

_NAMESPACE = "http://specs.openid.net/auth/2.0"
_ANY_PERSON = f"{_NAMESPACE}/identifier_select"
_PERSON = re.compile(r"https://steamcommunity\.com/openid/id/(\d{17})")
# What must be under the signature, or it could be another assertion of the same person (OpenID 2.0 §10.1).
_SIGNED = frozenset({"op_endpoint", "claimed_id", "identity", "return_to", "response_nonce", "assoc_handle"})


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in: the 64-bit SteamID as text, and the name that they go by, "" when it is not known."""

    id: str
    name: str


class SteamAccount(ProviderAccount):  # type: ignore[misc] # allauth has no types
    def to_str(self) -> str:
        return str(self.account.extra_data.get("personaname") or self.account.uid)


class SteamProvider(Provider):  # type: ignore[misc]
    """A provider of allauth's. Its app's `secret` is the site's key of the Steam Web API."""

    id = "steam"
    name = "Steam"
    account_class = SteamAccount
    supports_redirect = True

    authorize_url: ClassVar[str] = "https://steamcommunity.com/openid/login"
    summaries_url: ClassVar[str] = "https://api.steampowered.com/ISteamUser/GetPlayerSummaries/v2/"

    def get_login_url(self, request: HttpRequest, **kwargs: str) -> str:
        address = reverse("steam_login")
        return f"{address}?{urlencode(kwargs)}" if kwargs else address

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """Send the browser to Steam. What brings it back is bound to the session by `state`."""
        state = self.stash_redirect_state(request, process, next_url, data, **kwargs)
        asked = {
            "openid.ns": _NAMESPACE,
            "openid.mode": "checkid_setup",
            "openid.claimed_id": _ANY_PERSON,
            "openid.identity": _ANY_PERSON,
            "openid.return_to": self.return_to(request, state),
            "openid.realm": request.build_absolute_uri("/"),
        }
        return HttpResponseRedirect(f"{self.authorize_url}?{urlencode(asked)}")

    @staticmethod
    def return_to(request: HttpRequest, state: str) -> str:
        return request.build_absolute_uri(f"{reverse('steam_callback')}?{urlencode({'state': state})}")

    def verified(self, sent: Mapping[str, str], *, return_to: str) -> Person:
        """
        Return who signed in, as Steam itself confirms.

        Raises:
            ProviderException: the assertion is not one of Steam's for this sign-in.
            RequestException: Steam cannot be reached.
        """
        fields = {name: value for name, value in sent.items() if name.startswith("openid.")}
        person = _PERSON.fullmatch(fields.get("openid.claimed_id", ""))
        holds = (
            fields.get("openid.ns") == _NAMESPACE
            and fields.get("openid.mode") == "id_res"
            and fields.get("openid.op_endpoint") == self.authorize_url
            and fields.get("openid.return_to") == return_to
            and fields.get("openid.identity") == fields.get("openid.claimed_id")
            and set(fields.get("openid.signed", "").split(",")) >= _SIGNED
        )
        if person is None or not holds:
            raise ProviderException("This is not an answer of Steam's to this sign-in.")
        with get_adapter().get_requests_session() as session:
            answer = session.post(self.authorize_url, data=fields | {"openid.mode": "check_authentication"})
            answer.raise_for_status()
        if "is_valid:true" not in answer.text.splitlines():
            raise ProviderException("Steam does not confirm this sign-in.")
        return Person(person[1], self._name_of(person[1]))

    def _name_of(self, steam_id: str) -> str:
        """Return what somebody calls themselves; whoever has proven who they are comes in without it, too."""
        try:
            with get_adapter().get_requests_session() as session:
                answer = session.get(self.summaries_url, params={"key": self.app.secret, "steamids": steam_id})
                answer.raise_for_status()
                players = answer.json()["response"]["players"]
                return str(players[0]["personaname"]) if players else ""
        except (RequestException, ValueError, LookupError, TypeError) as error:
            logger.warning("steam_name", error=type(error).__name__)
            return ""

    def extract_uid(self, data: Person) -> str:
        return data.id

    def extract_extra_data(self, data: Person) -> dict[str, str]:
        return {"personaname": data.name}

    def extract_common_fields(self, data: Person) -> dict[str, str]:
        return {"username": data.name}


provider_classes = [SteamProvider]
