"""A person's own data: download all of it, and delete the account."""

from collections.abc import AsyncIterator
from tempfile import TemporaryFile

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from apps.accounts import reauthentication
from apps.accounts.limits import refused_download
from apps.accounts.models import User
from apps.errors import AppError, AuthenticationRequired
from apps.privacy import archive
from apps.tournaments.selectors.leaving import leaving
from apps.tournaments.services import erasure
from apps.web.commands import refused
from apps.web.pages import Failure, page, show
from apps.words import gettext


class FileInPieces(FileResponse):
    """On an ASGI server Django would read the whole of a plain FileResponse into memory, and warn of it."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        file = self.file_to_stream
        while file and (piece := await sync_to_async(file.read)(self.block_size)):
            yield piece


@page
def data(request: HttpRequest, *, failure: Failure | None = None) -> HttpResponse:
    """Say what is kept, and lead to the file and to the end."""
    _user(request)
    return show(request, "web/personal/data.html", {}, failure=failure)


@require_GET
def download(request: HttpRequest) -> HttpResponse | FileInPieces:
    """Answer with everything in one file, made now; a few times an hour."""
    if not isinstance(request.user, User):
        return HttpResponseRedirect(f"{reverse('account_login')}?next={reverse('my-data')}")
    if refusal := refused_download(request, request.user):
        return refusal
    file = TemporaryFile()  # noqa: SIM115 - the answer closes it
    archive.write(request.user, file)
    file.seek(0)
    answer = FileInPieces(
        file,
        as_attachment=True,
        filename=f"deltacrown-{request.user.username}.zip",
        content_type="application/zip",
    )
    answer["Cache-Control"] = "no-store"
    return answer


def delete(request: HttpRequest, *, failure: Failure | None = None) -> HttpResponse:
    """Say what will happen, and, posted to, do it."""
    if request.method == "POST" and failure is None:
        return _delete(request)
    return _before(request, failure=failure)


@page
def _before(request: HttpRequest, *, failure: Failure | None = None) -> HttpResponse:
    user = _user(request)
    context = {
        "leaving": leaving(user),
        "asks_password": user.has_usable_password(),
        "is_recent": reauthentication.is_recent(request, user),
    }
    return show(request, "web/personal/delete.html", context, failure=failure)


def _delete(request: HttpRequest) -> HttpResponse:
    try:
        user = _user(request)
        reauthentication.check(request, user, request.POST.get("password", ""))
        erasure.erase(user)
    except AppError as error:
        return refused(request, error, form="delete", host=reverse("delete-account"))
    # The session went with the account; what comes after it is a guest's.
    request.session.flush()
    request.user = AnonymousUser()
    messages.success(request, gettext("Your account is deleted."))
    return HttpResponseRedirect(reverse("home"))


def _user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise AuthenticationRequired(gettext("Sign in to see your page."))
    return request.user
