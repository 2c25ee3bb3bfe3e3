"""
Events for changes that no service made: a row corrected by hand, an import, a script.

An announcement says how rows stand, all of their public fields, as they are in the transaction that appends it. So it
can be given again and again, and it cannot say anything that is not true.
"""

from collections.abc import Collection

import msgspec
from django.db import transaction

from apps.errors import BadRequest, Conflict, NotFound
from apps.tournaments.events import (
    EVENTS,
    BracketUpdated,
    Event,
    MatchCompleted,
    MatchReady,
    MatchStarted,
    RegistrationClosed,
    RegistrationOpened,
    ResultReported,
    ScoreUpdated,
    TournamentCancelled,
    TournamentCompleted,
    TournamentPublished,
    TournamentStarted,
    TournamentUpdated,
)
from apps.tournaments.models import Match, Stage, Status
from apps.tournaments.services.unit import Done, present, unit_of_nobody
from engine.match_flow import MatchState
from engine.text import gettext as _

# What can be announced, and how the row has to stand for it to be so.
_OF_MATCHES: dict[type[Event], Collection[str]] = {
    BracketUpdated: tuple(MatchState),
    MatchReady: (MatchState.READY,),
    MatchStarted: (MatchState.LIVE,),
    ScoreUpdated: (MatchState.LIVE,),
    ResultReported: (MatchState.PENDING_RESULT,),
    MatchCompleted: (MatchState.COMPLETED,),
}
_OF_TOURNAMENTS: dict[type[Event], Collection[str]] = {
    TournamentUpdated: tuple(Status),
    TournamentPublished: (Status.PUBLISHED,),
    RegistrationOpened: (Status.REGISTRATION_OPEN,),
    RegistrationClosed: (Status.REGISTRATION_CLOSED,),
    TournamentStarted: (Status.LIVE,),
    TournamentCompleted: (Status.COMPLETED,),
    TournamentCancelled: (Status.CANCELLED,),
}


def announce_match(match_id: int, event: str) -> Done:
    """
    Tell everybody how a match stands, as the event of this name.

    Raises:
        NotFound: no such match.
        BadRequest: no event of matches has this name.
        Conflict: it would not be true, for example "match_completed" of a match in play.
    """
    with transaction.atomic():
        tournament_id = Match.objects.filter(pk=match_id).values_list("tournament_id", flat=True).first()
        if tournament_id is None:
            message = _("There is no such match.")
            raise NotFound(message)
        unit = unit_of_nobody("announce", tournament_id, present())
        match = Match.objects.select_related("home", "away").get(pk=match_id)
        kind = _kind(event, _OF_MATCHES, match.state)
        unit.emit(msgspec.convert({"match": unit.change(match)}, kind, from_attributes=True))
        return unit.finish({"match_id": match_id}, fingerprint="")


def announce_tournament(tournament_id: int, event: str) -> Done:
    """
    Tell everybody how a tournament itself stands, as the event of this name.

    Raises: as announce_match.
    """
    with transaction.atomic():
        unit = unit_of_nobody("announce", tournament_id, present())
        tournament = unit.tournament
        kind = _kind(event, _OF_TOURNAMENTS, tournament.status)
        parts: dict[str, object] = {"tournament": unit.change(tournament)}
        if "stage" in kind.__struct_fields__:
            parts["stage"] = unit.change(Stage.objects.get(tournament=tournament))
        unit.emit(msgspec.convert(parts, kind, from_attributes=True))
        return unit.finish({"tournament_id": tournament_id}, fingerprint="")


def _kind(event: str, table: dict[type[Event], Collection[str]], state: str) -> type[Event]:
    kind = EVENTS.get(event)
    if kind is None or kind not in table:
        message = _("No event of this name can be announced here.")
        raise BadRequest(message)
    if state not in table[kind]:
        message = _("It is not so: the state is {state}.", state=state)
        raise Conflict(message, state=str(state))
    return kind
