"""
From an action in a frame to the service that carries it out: one call each.

A room acts only within its own tournament; a match or entry of another one does not exist here.
"""

from collections.abc import Callable
from typing import Any

from apps.accounts.models import User
from apps.errors import BadRequest, Conflict, NotFound
from apps.tournaments.models import DisputeCause, Entry, Match
from apps.tournaments.realtime import protocol as p
from apps.tournaments.realtime.rooms import RoomName
from apps.tournaments.selectors import lists
from apps.tournaments.services import Actor, Done, brackets, entries, matches, veto, waitlist
from engine.bracket import Side
from engine.match_flow import Score
from engine.text import gettext as _


def perform(action: p.AnyAction, actor: Actor, room: RoomName, tournament_id: int) -> Done:
    """
    Carry out an action and return what it did.

    Raises:
        AppError: refused; nothing has changed.
    """
    return _PERFORM[type(action)](action, actor, _Place(room, tournament_id))


class _Place:
    """Where an action was sent."""

    def __init__(self, room: RoomName, tournament_id: int) -> None:
        self.room, self.tournament_id = room, tournament_id

    def match(self, data: p.OnMatch) -> int:
        match_id = data.match_id
        if self.room.kind == "match":
            if match_id not in (None, self.room.id):
                message = _("This room is for another match.")
                raise NotFound(message)
            return self.room.id
        if match_id is None:
            message = _("Say which match: data.match_id.")
            raise BadRequest(message)
        if not Match.objects.filter(pk=match_id, tournament=self.tournament_id).exists():
            message = _("There is no such match.")
            raise NotFound(message)
        return match_id

    def entry(self, data: p.OnEntry, actor: Actor) -> int:
        if data.entry_id is not None:
            if not Entry.objects.filter(pk=data.entry_id, tournament=self.tournament_id).exists():
                message = _("There is no such entry.")
                raise NotFound(message)
            return data.entry_id
        mine = None
        if isinstance(actor.user, User):
            mine = lists.my_entries(actor.user).filter(tournament=self.tournament_id).first()
        if mine is None:
            message = _("You are not registered in this tournament.")
            raise Conflict(message)
        return mine.pk


def _score(data: p.WithScore | p.WithOptionalScore) -> Score:
    games = [(game.home, game.away) for game in data.games]
    return matches.to_score(data.home_score, data.away_score, data.home_shootout, data.away_shootout, games)


def _optional_score(data: p.WithOptionalScore) -> Score | None:
    numbers = (data.home_score, data.away_score, data.home_shootout, data.away_shootout)
    is_given = data.games or any(number is not None for number in numbers)
    return _score(data) if is_given else None


_PERFORM: dict[type[Any], Callable[[Any, Actor, _Place], Done]] = {
    p.CheckIn: lambda a, by, at: entries.check_in(by, at.entry(a.data, by)),
    p.Withdraw: lambda a, by, at: entries.withdraw(by, at.entry(a.data, by)),
    p.ClaimPlace: lambda a, by, at: waitlist.claim(by, at.entry(a.data, by)),
    p.ReportScore: lambda a, by, at: matches.report(
        by, at.match(a.data), _score(a.data), expected_version=a.data.expected_version
    ),
    p.ConfirmResult: lambda a, by, at: matches.confirm(by, at.match(a.data), expected_version=a.data.expected_version),
    p.DisputeResult: lambda a, by, at: matches.dispute(
        by,
        at.match(a.data),
        cause=DisputeCause(a.data.cause),
        text=a.data.text,
        expected_version=a.data.expected_version,
    ),
    p.CheckInMatch: lambda a, by, at: matches.check_in(
        by, at.match(a.data), side=a.data.side and Side(a.data.side), expected_version=a.data.expected_version
    ),
    p.VetoMove: lambda a, by, at: veto.move(
        by, at.match(a.data), a.data.option, expected_version=a.data.expected_version
    ),
    p.StartMatch: lambda a, by, at: matches.start(by, at.match(a.data), expected_version=a.data.expected_version),
    p.UpdateScore: lambda a, by, at: matches.update_score(
        by, at.match(a.data), _score(a.data), expected_version=a.data.expected_version
    ),
    p.CompleteMatch: lambda a, by, at: matches.finish(
        by,
        at.match(a.data),
        _optional_score(a.data),
        ruling=a.data.ruling,
        expected_version=a.data.expected_version,
    ),
    p.AwardWalkover: lambda a, by, at: matches.award_walkover(
        by, at.match(a.data), winner=Side(a.data.winner), expected_version=a.data.expected_version
    ),
    p.ForfeitMatch: lambda a, by, at: matches.forfeit(
        by,
        at.match(a.data),
        loser=None if a.data.loser == "both" else Side(a.data.loser),
        ruling=a.data.ruling,
        expected_version=a.data.expected_version,
    ),
    p.GenerateBracket: lambda _a, by, at: brackets.generate(by, at.tournament_id),
}
