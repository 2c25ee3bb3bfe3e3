"""
From a posted form to one service call, and back to a page.

Success answers with a redirect, so that a reload repeats nothing. A refusal shows the page again where the form
stands, with the sentence, the status and everything that was typed.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import Resolver404, ResolverMatch, resolve
from django.utils.http import url_has_allowed_host_and_scheme

from apps.errors import AppError, AuthenticationRequired, BadRequest, NotFound
from apps.tournaments.services import Actor, Done
from apps.web.pages import Failure
from apps.words import gettext, ngettext, said

UNDO = "undo:"  # before an address, in the tags of a message
MAX_COMMAND_ID = 40
MAX_VERSION_DIGITS = 9
MAX_DETAILS = 200

# The pages that hold forms; each takes `failure`.
HOSTS = frozenset(
    {
        "home", "me", "delete-account", "new", "match", "match-reopen",
        "tournament", "bracket", "matches", "entrants", "activity",
        "schedule", "manage-schedule",
        "manage", "manage-entrants", "manage-settings", "manage-staff", "manage-files",
        "manage-moderation", "entry-report", "evidence-report", "team-report",
        "entry", "teams", "team",
        "manage-stages", "manage-bracket", "manage-list", "join",
        "setup-name", "setup-format", "setup-entrants", "setup-publish",
        "manage-integrations", "access", "manage-overlays", "notifications",
    }
)  # fmt: skip


def command_id(request: HttpRequest) -> str:
    """Return the id that the form was given when it was rendered; an odd one is ignored."""
    sent = request.POST.get("command_id", "")
    return sent if len(sent) <= MAX_COMMAND_ID and sent.isascii() and sent.isalnum() else ""


def actor(request: HttpRequest) -> Actor:
    return Actor(request.user, command_id(request))


def expected_version(request: HttpRequest) -> int | None:
    """Return the version of the match that the form was made for."""
    sent = request.POST.get("expected_version", "")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) <= MAX_VERSION_DIGITS else None


def cleaned(form: forms.Form) -> dict[str, Any]:
    """
    Return a form's values.

    Raises:
        BadRequest: the first sentence of what is wrong, with its field.
    """
    if form.is_valid():
        return form.cleaned_data
    name, errors = next(iter(form.errors.items()))
    label = form.fields[name].label if name in form.fields else ""
    sentence = str(errors[0])
    raise BadRequest(f"{label}: {sentence}" if label else sentence, field="" if name == "__all__" else name)


def carry_out(
    request: HttpRequest,
    act: Callable[[], Done],
    *,
    form: str,
    done: str | Callable[[Done], str],
    host: str,
    back: Callable[[Done], str] | None = None,
    undo: Callable[[Done], str] | None = None,
) -> HttpResponse:
    """
    Do what a form asks.

    Args:
        act: reads the form and calls the service.
        form: the form's name on its page.
        done: the toast, or how to make it; "" for none.
        host: the page that the form stands on; the form's own `next` goes before it.
        back: where to go after success, when that is another page.
        undo: the address that takes it back when it is posted to; the toast offers it.
    """
    try:
        outcome = act()
    except AppError as error:
        return refused(request, error, form=form, host=host)
    text = done if isinstance(done, str) else done(outcome)
    way_back = undo(outcome) if undo else ""
    if wants_json(request):
        return JsonResponse({"ok": True, "seq": outcome.seq, "said": said(text), "undo": way_back})
    if text:
        messages.success(request, said(text), extra_tags=f"{UNDO}{way_back}" if way_back else "")
    return HttpResponseRedirect(back(outcome) if back else _host(request, host))


def refused(request: HttpRequest, error: AppError, *, form: str, host: str) -> HttpResponse:
    """Answer a form that was refused: the sign-in page, a 404, or its own page with the sentence on it."""
    if wants_json(request):
        return JsonResponse({"ok": False, "message": said(error.text)}, status=error.http_status)
    if isinstance(error, AuthenticationRequired):
        return redirect_to_login(_host(request, host))
    if isinstance(error, NotFound) and form not in _FORMS_THAT_LOOK_UP:
        raise Http404(said(error.text)) from error
    field = str(error.data.get("field", ""))
    failure = Failure(
        form, said(error.text), error.http_status, about=field, typed=_typed(request.POST), details=_details(error)
    )
    return show_again(request, failure, host=host)


def show_again(request: HttpRequest, failure: Failure, *, host: str) -> HttpResponse:
    """Show the page that holds the form, with the failure on it."""
    path = _host(request, host)
    match = _resolved(path)
    if match is None:
        message = f"{host} is not a page that holds forms"
        raise LookupError(message)
    response: HttpResponse = match.func(request, *match.args, **match.kwargs, failure=replace(failure, host=path))
    return response


# Here NotFound is about a name that was typed, not about the page.
_FORMS_THAT_LOOK_UP = frozenset({"ban", "staff", "invite", "token"})


def _details(error: AppError) -> tuple[str, ...]:
    """Return the sentences of a refusal that is about many rows of a file, as far as somebody would read them."""
    rows = error.data.get("errors", [])
    told = tuple(gettext("Row {row}: {message}", row=row["row"], message=row["message"]) for row in rows[:MAX_DETAILS])
    more = len(rows) - MAX_DETAILS
    return (*told, ngettext("And {count} more.", "And {count} more.", more)) if more > 0 else told


def _typed(sent: Mapping[str, Any]) -> dict[str, str]:
    hidden = {"csrfmiddlewaretoken", "command_id", "next"}
    return {name: str(value)[:20_000] for name, value in sent.items() if name not in hidden}


def _host(request: HttpRequest, otherwise: str) -> str:
    """Return the page that the form says it stands on, when it is one of ours."""
    path = request.POST.get("next", "")
    if path and url_has_allowed_host_and_scheme(path, allowed_hosts=None) and _resolved(path) is not None:
        return path
    return otherwise


def _resolved(path: str) -> ResolverMatch | None:
    try:
        match = resolve(path.split("?", maxsplit=1)[0].split("#", maxsplit=1)[0])
    except Resolver404:
        return None
    return match if match.url_name in HOSTS else None


def wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept") == "application/json"
