"""Where a sign-in through Steam begins, and where Steam sends the browser back to."""

from allauth.account.internal.decorators import login_not_required
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import complete_social_login, render_authentication_error
from allauth.socialaccount.internal import statekit
from allauth.socialaccount.providers.base import AuthError, ProviderException
from allauth.socialaccount.providers.base.views import BaseLoginView
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_GET
from requests import RequestException

from apps.accounts.steam.provider import SteamProvider


@method_decorator(login_not_required, name="dispatch")
class LoginView(BaseLoginView):  # type: ignore[misc] # allauth has no types
    provider_id = SteamProvider.id


@login_not_required  # type: ignore[untyped-decorator]
@require_GET
def callback(request: HttpRequest) -> HttpResponse:
    """Sign in whom Steam vouches for, in the session that asked."""
    provider = get_adapter().get_provider(request, SteamProvider.id)
    key = request.GET.get("state", "")
    state = statekit.unstash_state(request, provider_id=provider.sub_id, state_id=key)
    if state is None:
        return _failed(request, provider)
    if request.GET.get("openid.mode") == "cancel":
        return _failed(request, provider, error=AuthError.CANCELLED)
    try:
        person = provider.verified(request.GET.dict(), return_to=provider.return_to(request, key))
    except (ProviderException, RequestException) as error:
        return _failed(request, provider, exception=error)
    login = provider.sociallogin_from_response(request, person)
    login.state = state
    response: HttpResponse = complete_social_login(request, login)
    return response


def _failed(request: HttpRequest, provider: SteamProvider, **why: object) -> HttpResponse:
    response: HttpResponse = render_authentication_error(request, provider, **why)
    return response
