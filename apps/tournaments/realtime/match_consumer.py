"""ws/match/<id>/: one match, for its players and whoever watches only this one."""

from apps.tournaments.models import Status
from apps.tournaments.permissions import Person, audience_of, side_of
from apps.tournaments.realtime.consumers import RoomConsumer
from apps.tournaments.realtime.hub import hub
from apps.tournaments.realtime.rooms import Opened, Room
from apps.tournaments.selectors import lists


class MatchConsumer(RoomConsumer):
    greeting = "Connected to the match."

    def open(self, person: Person, room_id: int) -> Opened:
        known = hub.public.get(self.name)
        if known is not None:
            return known.seen_by(person)
        match, role = lists.match_for(person, room_id)
        return Opened(
            Room(match.tournament.stream, match.subject, audience_of(role)),
            match.tournament_id,
            role,
            is_public=match.tournament.status != Status.DRAFT,
            match_id=match.pk,
            side=side_of(person, match),
        )
