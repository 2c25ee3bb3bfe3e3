"""What a person is told outside of the pages, and how: /me/notifications/, and the way out in every mail."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.models import User
from apps.accounts.services import ask_to_confirm, confirmed_address
from apps.errors import AppError, AuthenticationRequired
from apps.notifications import services, vapid
from apps.notifications.links import channel_of
from apps.notifications.models import Channel, Kind, Way
from apps.web.commands import refused
from apps.web.pages import Failure, page, show
from apps.words import said
from engine.text import gettext as _

# The first that stands in the head User-Agent: browsers also name those that they are like.
_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


@page
def notifications(request: HttpRequest, *, failure: Failure | None = None) -> HttpResponse:
    """Show what is told, and by which ways. Up to seven queries."""
    user = _user(request)
    preferences = services.preferences_of(user)
    by_way: dict[str, list[Channel]] = {way: [] for way in Way.values}
    for channel in services.channels_of(user):
        by_way[channel.way].append(channel)
    context: dict[str, Any] = {
        "kinds": [(value, label, value in preferences.kinds) for value, label in Kind.choices],
        "language": preferences.language,
        "languages": settings.LANGUAGES if len(settings.LANGUAGES) > 1 else (),
        "devices": by_way[Way.PUSH],
        "mail": next(iter(by_way[Way.MAIL]), None),
        "discord": next(iter(by_way[Way.DISCORD]), None),
        "address": user.email,
        "confirmed": confirmed_address(user) is not None,
        "public_key": vapid.public_key(),
    }
    return show(request, "web/notifications.html", context, failure=failure)


def _posted(form: str, done: str) -> Callable[[Callable[..., None]], Callable[..., HttpResponse]]:
    """Make a view of a function that reads the form and calls the service."""

    def decorate(act: Callable[..., None]) -> Callable[..., HttpResponse]:
        @require_POST
        def view(request: HttpRequest, **ids: int) -> HttpResponse:
            try:
                act(request, **ids)
            except AppError as error:
                return refused(request, error, form=form, host=reverse("notifications"))
            if done:
                messages.success(request, said(done))
            return HttpResponseRedirect(reverse("notifications"))

        return view

    return decorate


@_posted("kinds", _("Saved."))
def save(request: HttpRequest) -> None:
    sent = request.POST
    known = [kind for kind in sent.getlist("kinds") if kind in Kind.values]
    services.choose(_user(request), kinds=known, language=sent.get("language", ""))


@_posted("device", _("This device tells you from now on."))
def add_device(request: HttpRequest) -> None:
    services.add_device(
        _user(request),
        endpoint=request.POST.get("endpoint", ""),
        p256dh=request.POST.get("p256dh", ""),
        auth=request.POST.get("auth", ""),
        name=_device_name(request.headers.get("User-Agent", "")),
        origin=_origin(request),
    )


@_posted("mail", _("Mail tells you from now on."))
def add_mail(request: HttpRequest) -> None:
    services.add_mail(_user(request), origin=_origin(request))


@_posted("mail", "")
def confirm_mail(request: HttpRequest) -> None:
    ask_to_confirm(request, _user(request))  # which says itself what it did


@_posted("discord", _("Discord tells you from now on."))
def add_discord(request: HttpRequest) -> None:
    services.add_discord(_user(request), url=request.POST.get("url", ""), origin=_origin(request))


@_posted("channel", _("Switched off, and forgotten."))
def remove(request: HttpRequest, channel_id: int) -> None:
    services.remove(_user(request), channel_id)


@_posted("channel", _("A test is on its way."))
def test(request: HttpRequest, channel_id: int) -> None:
    services.send_test(_user(request), channel_id)


@csrf_exempt  # mail programs send the form of RFC 8058 without a cookie; the link itself is the right to do this
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, for programs that look behind links must not end anything; end it when told to."""
    channel_id = channel_of(token)
    if channel_id is None:
        raise Http404(said(_("This link is not whole. Copy it again from the mail.")))
    if request.method == "POST":
        services.unsubscribe(channel_id)
    response = render(request, "web/unsubscribe.html", {"done": request.method == "POST"})
    response["Cache-Control"] = "no-store"
    return response


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise AuthenticationRequired(_("Sign in to choose what you are told."))
    return request.user


def _origin(request: HttpRequest) -> str:
    return request.build_absolute_uri("/")


def _device_name(agent: str) -> str:
    """Return what a person calls the browser: "Chrome on Android"."""
    browser, system = (next((name for mark, name in known if mark in agent), "") for known in (_BROWSERS, _SYSTEMS))
    if browser and system:
        return f"{browser} on {system}"  # kept in English, as all rows are
    return browser or system or "Browser"
