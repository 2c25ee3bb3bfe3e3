"""Forms with files: bounded before anything of them is read."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from apps.errors import AppError, BadRequest, ErrorCode
from apps.tournaments import uploads
from apps.web.commands import refused
from engine.text import gettext as _

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


class TooLarge(AppError):
    """A file is larger than any that makes sense."""

    code, http_status = ErrorCode.PAYLOAD_TOO_LARGE, 413


def takes_files(
    *, at_most: int, form: str | Callable[P, str], host: Callable[P, str], files: int = 1
) -> Callable[[View[P]], View[P]]:
    """
    Make a view of one for a form with files of `at_most` bytes each; larger ones are refused on the form's page.

    The bound is set before the check of the form's token, which reads the form. So the check is made in here.

    Args:
        form: the form's name on its page, or how to make it.
        host: the page that the form stands on, given what the view is given.
    """

    def decorate(view: View[P]) -> View[P]:
        checked = csrf_protect(view)

        @csrf_exempt
        @wraps(view)
        def bounded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            uploads.limit(request, files=files, at_most=at_most)
            try:
                return checked(request, *args, **kwargs)
            except RequestDataTooBig:
                request.POST = QueryDict()  # nothing of it was kept
                error = TooLarge(
                    _("The file is too large: at most {most} MiB.", most=at_most // 1024 // 1024), field="file"
                )
                name = form if isinstance(form, str) else form(*args, **kwargs)
                return refused(request, error, form=name, host=host(*args, **kwargs))

        return bounded

    return decorate


def sent_file(request: HttpRequest) -> bytes:
    """
    Return the content of the form's file.

    Raises:
        BadRequest: none was chosen.
    """
    file = request.FILES.get("file")
    if file is None:
        message = _("Choose a file first.")
        raise BadRequest(message, field="file")
    content: bytes = file.read()
    return content
