"""The ways to sign in, of which one can be taken back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from apps.accounts import ways
from apps.accounts.models import User
from apps.errors import AppError, AuthenticationRequired
from apps.web.commands import refused
from apps.words import gettext
from engine.text import gettext as _


@require_POST
def remove(request: HttpRequest, way_id: int) -> HttpResponse:
    """Take an account on another site from the ways to sign in."""
    try:
        if not isinstance(request.user, User):
            raise AuthenticationRequired(_("Sign in to see your page."))
        ways.remove(request, request.user, way_id)
    except AppError as error:
        return refused(request, error, form=f"way-{way_id}", host=reverse("me"))
    messages.success(request, gettext("Removed. It is no way to sign in here any more."))
    return HttpResponseRedirect(reverse("me"))
