"""Announcements: what the organisers say to everybody, until they take it down."""

from apps.errors import Conflict, NotFound
from apps.eventlog.log import iso
from apps.tournaments.events import AnnouncementMade, AnnouncementTakenDown
from apps.tournaments.services.unit import Answer, Unit, command
from apps.tournaments.text import clean_line
from engine.text import gettext as _

MAX_LENGTH = 280
MAX_STANDING = 5  # of more, nobody would read one


@command("announce")
def announce(unit: Unit, /, tournament_id: int, *, text: str) -> Answer:
    """
    Say a sentence to everybody who looks at the tournament. Answers {"tournament_id", "notice_id"}.

    Raises:
        BadRequest: it is empty or too long.
        Conflict: too many stand already.
    """
    tournament = unit.lock(tournament_id)
    said = clean_line("text", text, at_most=MAX_LENGTH, required=True)
    if len(tournament.notices) >= MAX_STANDING:
        message = _("{most} announcements stand already. Take one down first.", most=MAX_STANDING)
        raise Conflict(message, notices=len(tournament.notices))
    tournament.notices_made += 1
    notice = {"id": tournament.notices_made, "text": said, "at": iso(unit.now)}
    tournament.notices = [*tournament.notices, notice]
    unit.emit(AnnouncementMade(tournament=unit.save(tournament)))
    return {"tournament_id": tournament.pk, "notice_id": tournament.notices_made}


@command("take_down_announcement")
def take_down(unit: Unit, /, tournament_id: int, notice_id: int) -> Answer:
    """Let an announcement stand no longer; that it was made stays on record. Answers {"tournament_id"}."""
    tournament = unit.lock(tournament_id)
    left = [notice for notice in tournament.notices if notice["id"] != notice_id]
    if len(left) == len(tournament.notices):
        message = _("This announcement does not stand any more.")
        raise NotFound(message)
    tournament.notices = left
    unit.emit(AnnouncementTakenDown(tournament=unit.save(tournament)))
    return {"tournament_id": tournament.pk}
