"""Images for a dispute: from the files of a form to the service that keeps them, one command each."""

from django.http import HttpRequest

from apps.errors import BadRequest
from apps.tournaments.services import Actor, Done
from apps.tournaments.services.disputes import add_evidence
from apps.web.commands import command_id
from engine.text import gettext as _

MAX_FILES = 8


def attach(request: HttpRequest, match_id: int, *, required: bool = False) -> Done | None:
    """
    Add the images of a form to the dispute of a match. Returns the last answer, None when there were none.

    Raises:
        BadRequest: more files than go in at once, or none where there must be one.
        AppError: what the service says about an image; those before it are kept.
    """
    files = [file for file in request.FILES.getlist("file") if file.size]
    if required and not files:
        raise BadRequest(_("Choose at least one image."), field="file")
    if len(files) > MAX_FILES:
        raise BadRequest(
            _("These are {count} files; at most {most} go in at once.", count=len(files), most=MAX_FILES), field="file"
        )
    base, done = command_id(request), None
    for number, file in enumerate(files, start=1):
        done = add_evidence(Actor(request.user, f"{base}.{number}" if base else ""), match_id, file.read())
    return done
