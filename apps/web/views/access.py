"""What a person lets programs have: API tokens, and the address of their calendar."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.accounts import api_tokens
from apps.accounts.grants import Scope
from apps.accounts.models import ApiToken, User
from apps.errors import AppError, AuthenticationRequired, BadRequest
from apps.integrations import calendars, tokens
from apps.web.commands import MAX_VERSION_DIGITS, refused
from apps.web.pages import Failure, page, show
from apps.web.typed_times import end_of_day
from apps.words import gettext, said
from engine.text import gettext as _

_SCOPES = {
    Scope.PLAY: _("Play: enter, check in, report results, for you"),
    Scope.REFEREE: _("Referee: run matches where you are a referee or organiser"),
    Scope.ORGANISE: _("Organise: everything where you are an organiser"),
}


@page
def access(request: HttpRequest, *, failure: Failure | None = None) -> HttpResponse:
    return _show(request, failure=failure)


def _show(request: HttpRequest, *, failure: Failure | None = None, token: str = "", calendar: str = "") -> HttpResponse:
    """Show the page; once, right after something was made, with what is secret of it."""
    user = _user(request)
    rows = list(api_tokens.of(user))
    names = tokens.tournament_names(rows)
    context = {
        "tokens": [(row, names.get(row.tournament or 0, "")) for row in rows],
        "most": ApiToken.MOST,
        "scopes": [(scope.value, said(text)) for scope, text in _SCOPES.items()],
        "token": token,
        "calendar": calendar,
        "has_calendar": calendars.has_feed(user),
    }
    response = show(request, "web/access.html", context, failure=failure)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def create_token(request: HttpRequest) -> HttpResponse:
    """Make a token, and show it in the answer itself: no other address ever does."""
    sent = request.POST
    try:
        _, token = tokens.create(
            _user(request),
            name=sent.get("name", ""),
            scopes=sent.getlist("scopes"),
            tournament=_number(sent.get("tournament", "")),
            expires_at=end_of_day(sent.get("expires_on", ""), sent.get("zone", "")),
        )
    except AppError as error:
        return refused(request, error, form="token", host=reverse("access"))
    return _show(request, token=token)


@require_POST
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    try:
        api_tokens.revoke(_user(request), token_id)
    except AppError as error:
        return refused(request, error, form=f"token-{token_id}", host=reverse("access"))
    return _done(request, gettext("Revoked. It is of no use from this moment on."))


@require_POST
def create_calendar(request: HttpRequest) -> HttpResponse:
    try:
        address = request.build_absolute_uri(calendars.path_of(calendars.new_token(_user(request))))
    except AppError as error:
        return refused(request, error, form="calendar", host=reverse("access"))
    return _show(request, calendar=address)


@require_POST
def end_calendar(request: HttpRequest) -> HttpResponse:
    try:
        calendars.end(_user(request))
    except AppError as error:
        return refused(request, error, form="calendar", host=reverse("access"))
    return _done(request, gettext("Nobody can read your calendar any more."))


def _done(request: HttpRequest, text: str) -> HttpResponse:
    messages.success(request, text)
    return HttpResponseRedirect(reverse("access"))


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise AuthenticationRequired(_("Sign in to see your page."))
    return request.user


def _number(sent: str) -> int | None:
    """Return the number of a tournament, as it stands in the address of its page."""
    text = sent.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_VERSION_DIGITS):
        raise BadRequest(_("The tournament is the number in the address of its page."), field="tournament")
    return int(text)
