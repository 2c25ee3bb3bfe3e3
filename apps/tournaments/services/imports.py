"""A tournament from a file: stored as the file has it, all at once or not at all."""

from itertools import pairwise

from django.db import IntegrityError

from apps.errors import BadRequest
from apps.tournaments import permissions
from apps.tournaments.exchange import brackets_document, consistency, trf_document
from apps.tournaments.exchange.brackets_json import read_brackets
from apps.tournaments.exchange.decoding import decoded
from apps.tournaments.exchange.document import Document, is_document, read_document, refusal
from apps.tournaments.exchange.trf import read_trf
from apps.tournaments.models import StageState
from apps.tournaments.selectors.standings import is_complete
from apps.tournaments.services.progress import conclude
from apps.tournaments.services.storing import store
from apps.tournaments.services.unit import Actor, Answer, Done, Unit, command, present
from apps.tournaments.services.unit import refusal as engine_refusal
from apps.tournaments.services.uploaded import Uploaded
from engine.errors import EngineError
from engine.match_flow import OPEN
from engine.text import gettext as _


def import_tournament(actor: Actor, data: bytes) -> Done:
    """
    Make a tournament of a file: our own document, a tournament report file (TRF), or JSON of brackets-manager.

    What it is shows in its content. Whoever imports it is its organiser. Answers {"tournament_id"}.

    Raises:
        BadRequest: the file cannot be read, or says something that cannot be; nothing is stored.
    """
    permissions.require("import_tournament", actor.user)
    if is_document(data):
        return import_document(actor, data)
    at = present()
    try:
        if decoded(data).lstrip()[:1] in ("{", "["):
            read = brackets_document.document_of(read_brackets(data), at)
        else:
            read = trf_document.document_of(read_trf(data), at)
        return _import_results(actor, Uploaded.of(data, read))
    except EngineError as error:
        raise engine_refusal(error) from error


def import_document(actor: Actor, data: bytes) -> Done:
    """
    Make a tournament of an exported document. Answers {"tournament_id"}.

    It stands as it did where it was exported, times included. Entrants have no accounts, so the staff acts for them.

    Raises:
        BadRequest: `path` says what is wrong, for example "stages[0].matches[3].winner". Nothing is stored.
    """
    permissions.require("import_tournament", actor.user)
    read = read_document(data)
    consistency.check(read)
    try:
        return _import_document(actor, Uploaded.of(data, read))
    except IntegrityError as error:
        # Names that the database takes for the same and Python does not.
        raise refusal("", _("The document has something twice that there can be once only.")) from error


@command("import_tournament")
def _import_document(unit: Unit, /, uploaded: Uploaded[Document]) -> Answer:
    store(unit, uploaded.content)
    for stage in unit.tournament.stages.filter(state=StageState.LIVE):
        if not stage.matches.filter(state__in=OPEN).exists() and is_complete(stage):
            raise refusal(
                f"stages[{stage.number - 1}].state", _("The stage is live, and nothing is left to play in it.")
            )
    return {"tournament_id": unit.tournament.pk}


@command("import_tournament")
def _import_results(unit: Unit, /, uploaded: Uploaded[Document]) -> Answer:
    """Store a document that was made of results: its stages are live, and those that are over end here."""
    store(unit, uploaded.content)
    stages = list(unit.tournament.stages.order_by("number"))
    for stage in stages:
        conclude(unit, stage)
        stage.refresh_from_db()
    for stage, following in pairwise(stages):
        if stage.state != StageState.COMPLETED:
            message = _(
                "Stage {number} is not over, and stage {following_number} has been drawn. Finish it first.",
                number=stage.number,
                following_number=following.number,
            )
            raise BadRequest(message, field="file")
    return {"tournament_id": unit.tournament.pk}
