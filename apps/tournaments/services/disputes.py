"""Evidence in disputes: images that either side, or the staff, adds to a match whose result is disputed."""

from dataclasses import dataclass, field
from threading import BoundedSemaphore

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from apps.errors import Conflict, NotFound
from apps.tournaments import permissions
from apps.tournaments.images import checked_image
from apps.tournaments.models import Dispute, Evidence, Match
from apps.tournaments.selectors.disputes import open_dispute
from apps.tournaments.services.unit import Actor, Answer, Done, Unit, command, receipt_of
from engine.text import gettext as _

MAX_IMAGES = 10

# A picture of 40 megapixels takes up to 630 MB while it is decoded, so they wait for each other.
_decoding = BoundedSemaphore(1)


@dataclass(frozen=True, slots=True)
class _Picture:
    """What the command is told. Equal pictures are one request, whose fingerprint does not read megabytes."""

    name: str
    content_type: str
    data: bytes = field(repr=False)


def add_evidence(actor: Actor, match_id: int, data: bytes) -> Done:
    """
    Add an image to the open dispute of a match. The same image twice is one. Answers {"match_id", "evidence_id"}.

    There is no event: disputes are not part of the public state.

    Raises:
        BadRequest: not an image, or too large; see images.checked_image, which also says what decoding costs.
        Conflict: the match is not in dispute, or the dispute has `MAX_IMAGES`.
    """
    if receipt_of(actor) is None:
        _foresee(actor, match_id)
    with _decoding:
        image = checked_image(data)
    return _add(actor, match_id, _Picture(image.name, image.content_type, image.data))


@command("add_evidence")
def _add(unit: Unit, /, match_id: int, picture: _Picture) -> Answer:
    match = unit.lock_match(match_id)
    dispute = _disputed(match)
    evidence = dispute.evidence.filter(file=picture.name).first()
    if evidence is None:
        _has_room(dispute)
        evidence = Evidence(dispute=dispute, uploaded_by=unit.user, uploaded_at=unit.now, file=picture.name)
        evidence.content_type, evidence.size = picture.content_type, len(picture.data)
        # Before the row: what is left behind when the transaction fails is a file that nothing leads to.
        if not default_storage.exists(evidence.path):
            default_storage.save(evidence.path, ContentFile(picture.data))
        evidence.save()
    return {"match_id": match.pk, "evidence_id": evidence.pk}


def _foresee(actor: Actor, match_id: int) -> None:
    """Refuse what the command would refuse anyway, before it costs anything to look at the image."""
    match = Match.objects.select_related("tournament", "home", "away").filter(pk=match_id).first()
    if match is None or not permissions.may_see(actor.user, match.tournament):
        message = _("There is no such match.")
        raise NotFound(message)
    role = permissions.role_of(actor.user, match.tournament_id)
    permissions.require("add_evidence", actor.user, role, match=match)
    _has_room(_disputed(match))


def _disputed(match: Match) -> Dispute:
    dispute = open_dispute(match)
    if dispute is None:
        message = _("The result of this match is not disputed, so there is nothing to add evidence to.")
        raise Conflict(message, state=match.state)
    return dispute


def _has_room(dispute: Dispute) -> None:
    if dispute.evidence.count() >= MAX_IMAGES:
        message = _("A dispute holds at most {most} images. A referee has enough to decide.", most=MAX_IMAGES)
        raise Conflict(message, images=MAX_IMAGES)
