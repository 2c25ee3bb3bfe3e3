"""Which match is shown on stream, and the key with which the addresses of overlays are signed."""

from collections.abc import Collection

from apps.errors import BadRequest
from apps.tournaments.events import TournamentOnStream, TournamentOverlaysRenewed
from apps.tournaments.services.unit import Answer, Unit, command


@command("set_on_stream")
def set_on_stream(unit: Unit, /, tournament_id: int, *, match_id: int | None) -> Answer:
    """
    Show a match on stream instead of the one that is there; None: show none.

    It stays there when it is over, so that its result can be read, until the next one is chosen. Answers
    {"tournament_id"}.

    Raises:
        BadRequest: this tournament has no such match.
    """
    tournament = unit.lock(tournament_id)
    if match_id is not None and not tournament.matches.filter(pk=match_id).exists():
        message = "This tournament has no such match."
        raise BadRequest(message, field="match")
    if match_id != tournament.on_stream_id:
        tournament.on_stream_id = match_id
        unit.emit(TournamentOnStream(tournament=unit.save(tournament)))
    return {"tournament_id": tournament.pk}


@command("renew_overlays")
def renew_overlays(unit: Unit, /, tournament_id: int) -> Answer:
    """End the addresses of the overlays so far; new ones take their place. Answers {"tournament_id"}."""
    tournament = unit.lock(tournament_id)
    tournament.overlay_key += 1
    unit.emit(TournamentOverlaysRenewed(tournament=unit.save(tournament)))
    return {"tournament_id": tournament.pk}


def off_stream(unit: Unit, matches: Collection[int]) -> None:
    """Take the match on stream off, if it is one of these, which are about to be deleted."""
    tournament = unit.tournament
    if tournament.on_stream_id in matches:
        tournament.on_stream = None
        unit.emit(TournamentOnStream(tournament=unit.save(tournament)))
