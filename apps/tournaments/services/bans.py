"""Who may not enter a tournament any more. For the staff's eyes."""

from apps.accounts.models import User
from apps.errors import Conflict, NotFound
from apps.tournaments.events import BannedUser, UserBanned, UserUnbanned
from apps.tournaments.models import Ban, EntryStatus, Status
from apps.tournaments.models.entry import ACTIVE
from apps.tournaments.services.entries import take_out
from apps.tournaments.services.unit import Answer, Unit, command
from apps.tournaments.text import clean_line
from engine.text import gettext as _


@command("ban_user")
def ban(unit: Unit, /, tournament_id: int, *, username: str, reason: str = "") -> Answer:
    """
    Let a person enter no more, neither alone nor with a team. Their own entry is disqualified; a team that they play
    for stays, for its captain or the staff to decide about.

    Answers {"user_id"}.
    """
    tournament = unit.lock(tournament_id)
    user = User.objects.filter(username__iexact=username.strip(), is_active=True).first()
    if user is None:
        message = _("Nobody has this user name. It is the name that the person signs in with.")
        raise NotFound(message)
    if user.is_superuser or tournament.members.filter(user=user).exists():
        message = _("{name} is on the staff. Remove them there first.", name=user.username)
        raise Conflict(message, field="username")
    if tournament.bans.filter(user=user).exists():
        message = _("{name} is banned already.", name=user.username)
        raise Conflict(message, field="username")
    row = Ban(tournament=tournament, user=user, created_by=unit.user, created_at=unit.now)
    row.reason = clean_line("reason", reason, at_most=200)
    row.save()
    unit.emit(UserBanned(banned=BannedUser(id=user.pk, username=user.username)))
    if tournament.status not in (Status.COMPLETED, Status.CANCELLED):
        for entry in tournament.entries.filter(user=user, team=None, status__in=ACTIVE):
            take_out(unit, unit.watch(entry), EntryStatus.DISQUALIFIED)
    return {"user_id": user.pk}


@command("unban_user")
def unban(unit: Unit, /, tournament_id: int, user_id: int) -> Answer:
    """Let a person who was banned enter again. Answers {"user_id"}."""
    tournament = unit.lock(tournament_id)
    row = tournament.bans.select_related("user").filter(user=user_id).first()
    if row is None:
        message = _("This person is not banned.")
        raise NotFound(message)
    row.delete()
    unit.emit(UserUnbanned(banned=BannedUser(id=user_id, username=row.user.username)))
    return {"user_id": user_id}
