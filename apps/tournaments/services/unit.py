"""
One command: one transaction, one tournament lock, one batch of events, one answer.

The lock is the tournament's row, so the commands of one tournament run one after another and each sees what the one
before did: of two people doing the same thing at once, one acts and the other is told how things stand now.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar, overload

import msgspec
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.errors import AppError, BadRequest, Conflict, NotFound
from apps.eventlog import log
from apps.eventlog.models import Receipt, Stream
from apps.tournaments import permissions
from apps.tournaments.events import (
    Change,
    EntryChange,
    Event,
    MatchChange,
    StageChange,
    StageEntryChange,
    StationChange,
    TournamentChange,
    event_name,
)
from apps.tournaments.models import Entry, Match, Reopening, Role, StaffLink, Stage, StageEntry, Station, Tournament
from apps.tournaments.services import searching
from apps.tournaments.state import Fields, fields_of
from engine.errors import EngineError, IllegalMove, IllegalStep
from engine.text import Text
from engine.text import gettext as _

P = ParamSpec("P")
Row = TypeVar("Row", Tournament, Stage, StageEntry, Entry, Match, Station)
Answer = Mapping[str, int]

CLOCK = "clock"  # as an actor in the log


@dataclass(frozen=True, slots=True)
class Actor:
    """
    Who gives a command.

    `command_id` is chosen by the client and unique per user: a command that is sent again under the same id has no
    second effect and gets the first answer.
    """

    user: permissions.Person
    command_id: str = ""
    is_clock: bool = False

    @property
    def name(self) -> str:
        """The name under which the log files what this person did, or the clock; "" where it is not known who did."""
        if self.is_clock:
            return CLOCK
        return f"user:{self.user.pk}" if isinstance(self.user, User) else ""


@dataclass(frozen=True, slots=True)
class Done:
    """A command took effect at `seq` of `stream`. `ids` names what it made or changed, for example {"entry_id": 12}."""

    stream: str
    seq: int
    ids: Answer


@dataclass(slots=True)
class Unit:
    """What a service works with: the locked tournament, the present moment, and the events so far."""

    action: str
    actor: Actor
    now: datetime
    _tournament: Tournament | None = None
    _role: Role = Role.SPECTATOR
    _events: list[log.NewEvent] = field(default_factory=list)
    _before: dict[tuple[type[models.Model], int], Fields] = field(default_factory=dict)
    _named: dict[type[models.Model], list[Any]] = field(default_factory=dict)

    @property
    def tournament(self) -> Tournament:
        if self._tournament is None:
            message = "the tournament has not been locked"
            raise RuntimeError(message)
        return self._tournament

    @property
    def role(self) -> Role:
        """What the person acting is in the locked tournament."""
        return self._role

    @property
    def user(self) -> User:
        """The person acting; `require` has made sure that there is one."""
        if not isinstance(self.actor.user, User):
            message = "checked before use: nobody is signed in"
            raise TypeError(message)
        return self.actor.user

    def lock(self, tournament_id: int, *, check: bool = True) -> Tournament:
        """Lock a tournament, and check the right to act on it as a whole unless `check` is off."""
        # no_key: entries and matches that refer to the row can still be inserted while it is locked.
        tournament = Tournament.objects.select_for_update(no_key=True).filter(pk=tournament_id).first()
        if tournament is None or not permissions.may_see(self.actor.user, tournament):
            message = _("There is no such tournament.")
            raise NotFound(message)
        self._tournament = self.watch(tournament)
        self._role = permissions.role_of(self.actor.user, tournament.pk)
        if check:
            self.require()
        return tournament

    def require(self, *, entry: Entry | None = None, match: Match | None = None) -> None:
        """Check the right to act in the tournament that is locked; on one's own entry or match, where it is that."""
        permissions.require(
            self.action, self.actor.user, self._role, tournament_id=self.tournament.pk, entry=entry, match=match
        )

    def lock_match(self, match_id: int, *, expected_version: int | None = None) -> Match:
        """
        Lock a match's tournament and check the right to act on the match.

        Raises:
            Conflict: `expected_version` is given and the match has changed since.
        """
        tournament_id = Match.objects.filter(pk=match_id).values_list("tournament_id", flat=True).first()
        self._lock_owner_of(_("There is no such match."), tournament_id)
        match = Match.objects.select_related("home", "away", "stage").filter(pk=match_id).first()
        if match is None:
            message = _("There is no such match.")
            raise NotFound(message)
        self.require(match=match)
        if expected_version is not None and expected_version != match.version:
            message = _("The match has changed since you looked at it. See how it stands now, then try again.")
            raise Conflict(message, match=fields_of(match))
        return self.watch(match)

    def lock_entry(self, entry_id: int) -> Entry:
        """Lock an entry's tournament and check the right to act on the entry."""
        tournament_id = Entry.objects.filter(pk=entry_id).values_list("tournament_id", flat=True).first()
        self._lock_owner_of(_("There is no such entry."), tournament_id)
        entry = Entry.objects.get(pk=entry_id)
        self.require(entry=entry)
        return self.watch(entry)

    def lock_stage(self, stage_id: int) -> Stage:
        """Lock a stage's tournament and check the right to act on the stage."""
        tournament_id = Stage.objects.filter(pk=stage_id).values_list("tournament_id", flat=True).first()
        self._lock_owner_of(_("There is no such stage."), tournament_id)
        self.require()
        return self.watch(Stage.objects.get(pk=stage_id))

    def lock_station(self, station_id: int) -> Station:
        """Lock a station's tournament and check the right to act on the station."""
        tournament_id = Station.objects.filter(pk=station_id).values_list("tournament_id", flat=True).first()
        self._lock_owner_of(_("There is no such station."), tournament_id)
        self.require()
        station = Station.objects.filter(pk=station_id).first()
        if station is None:
            message = _("There is no such station.")
            raise NotFound(message)
        return self.watch(station)

    def lock_staff_link(self, link_id: int) -> StaffLink:
        """Lock the tournament of an invitation to its staff and check the right to act on it."""
        tournament_id = StaffLink.objects.filter(pk=link_id).values_list("tournament_id", flat=True).first()
        self._lock_owner_of(_("There is no such invitation."), tournament_id)
        self.require()
        return StaffLink.objects.get(pk=link_id)

    def lock_by_invitation(self, link_id: int) -> StaffLink:
        """Lock the tournament that a link opens for the person acting: a draft too, which they could not see before."""
        link = StaffLink.objects.get(pk=link_id)
        tournament = Tournament.objects.select_for_update(no_key=True).get(pk=link.tournament_id)
        self._tournament = self.watch(tournament)
        self.require()
        return StaffLink.objects.get(pk=link_id)

    def lock_reopening(self, reopening_id: int) -> Reopening:
        """Lock a reopening's tournament and check the right to undo it."""
        tournament_id = Reopening.objects.filter(pk=reopening_id).values_list("tournament_id", flat=True).first()
        self._lock_owner_of(_("There is no such reopening."), tournament_id)
        self.require()
        return Reopening.objects.get(pk=reopening_id)

    def _lock_owner_of(self, message: Text, tournament_id: int | None) -> None:
        if tournament_id is None:
            raise NotFound(message)
        try:
            self.lock(tournament_id, check=False)
        except NotFound:
            raise NotFound(message) from None

    def adopt(self, tournament: Tournament) -> None:
        """Work on a tournament that is locked already, or that nobody else can see yet."""
        self._tournament, self._role = tournament, Role.ORGANIZER

    def watch(self, row: Row) -> Row:
        """Remember how a row stands, so that `save` can tell what became different."""
        self._before[type(row), row.pk] = fields_of(row)
        return row

    @overload
    def save(self, row: Tournament) -> TournamentChange: ...
    @overload
    def save(self, row: Stage) -> StageChange: ...
    @overload
    def save(self, row: Entry) -> EntryChange: ...
    @overload
    def save(self, row: Match) -> MatchChange: ...
    @overload
    def save(self, row: StageEntry) -> StageEntryChange: ...
    @overload
    def save(self, row: Station) -> StationChange: ...
    def save(self, row: models.Model) -> object:
        """Save a row and return what changed since it was watched; for a row that was not, all of it."""
        known = row.pk is not None and (type(row), row.pk) in self._before
        if isinstance(row, Match) and known:
            row.version += 1
        row.save()
        return self.change(row)

    def create(self, rows: Sequence[Row]) -> list[Any]:
        """Insert new rows of one kind in few statements, and return the change of each."""
        if not rows:
            return []
        made = type(rows[0]).objects.bulk_create(rows, batch_size=500)
        return [self.change(row) for row in made]

    def update(self, rows: Sequence[Row], *fields: str) -> list[Any]:
        """Save these fields of watched rows in few statements, and return the changes."""
        if not rows:
            return []
        if isinstance(rows[0], Match):
            fields = (*fields, "version")
            for row in rows:
                row.version += 1
        type(rows[0]).objects.bulk_update(rows, fields, batch_size=500)
        return [self.change(row) for row in rows]

    def later(self, *, minutes: int) -> datetime:
        """Return a moment from now on."""
        return self.now + timedelta(minutes=minutes)

    def change(self, row: models.Model) -> object:
        """Return the change of a row that is saved already."""
        key = (type(row), row.pk)
        before, after = self._before.get(key, {}), fields_of(row)
        self._before[key] = after
        changed = {name: value for name, value in after.items() if name not in before or before[name] != value}
        if isinstance(row, Tournament | Entry) and changed.keys() & searching.NAMING:
            self._named.setdefault(type(row), []).append(row)
        return msgspec.convert({**changed, "id": row.pk}, _CHANGE_OF[type(row)])

    def emit(self, event: Event) -> None:
        """Add an event to what this command appends when it commits."""
        match = getattr(event, "match", None)
        self._events.append(
            log.NewEvent(
                type=event_name(type(event)),
                data=msgspec.json.encode(event).decode(),
                audience=event.audience,
                subject=f"match:{match.id}" if isinstance(match, MatchChange) else "",
            )
        )

    def finish(self, ids: Answer, *, fingerprint: str) -> Done:
        """Append the events, keep the receipt, and return the answer. The last step inside the transaction."""
        for rows in self._named.values():
            searching.index(rows)
        stream = self.tournament.stream
        recorded = log.append(
            stream, self._events, at=self.now, actor=self.actor.name, command_id=self.actor.command_id
        )
        seq = recorded[-1].seq if recorded else log.positions([stream])[stream].seq
        done = Done(stream, seq, ids)
        if self.actor.command_id:
            Receipt.objects.create(
                actor=self.actor.name,
                command_id=self.actor.command_id,
                action=self.action,
                fingerprint=fingerprint,
                stream=Stream.objects.get(name=stream),
                seq=seq,
                answer=dict(ids),
            )
        return done


_CHANGE_OF: dict[type[models.Model], type[Change]] = {
    Tournament: TournamentChange,
    Stage: StageChange,
    StageEntry: StageEntryChange,
    Entry: EntryChange,
    Match: MatchChange,
    Station: StationChange,
}


def command(action: str) -> Callable[[Callable[Concatenate[Unit, P], Answer]], Callable[Concatenate[Actor, P], Done]]:
    """
    Make a service of a function: `f(unit, …) -> ids` becomes `f(actor, …) -> Done`.

    Raises (from the service): AppError. Nothing is changed then.
    """

    def decorate(body: Callable[Concatenate[Unit, P], Answer]) -> Callable[Concatenate[Actor, P], Done]:
        @wraps(body)
        def service(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> Done:
            fingerprint = _fingerprint(args, kwargs)
            if (done := _first_answer(actor, action, fingerprint)) is not None:
                return done
            try:
                with transaction.atomic():
                    unit = Unit(action, actor, present())
                    return unit.finish(body(unit, *args, **kwargs), fingerprint=fingerprint)
            except (AppError, EngineError, IntegrityError) as error:
                # The same command may have won while this one waited for the lock.
                if (done := _first_answer(actor, action, fingerprint)) is not None:
                    return done
                if isinstance(error, EngineError):
                    raise refusal(error) from error
                raise

        return service

    return decorate


def unit_of_nobody(action: str, tournament_id: int, now: datetime, *, is_clock: bool = False) -> Unit:
    """
    Lock a tournament for what no person asks for here: the clock does, or a script. The log names the clock, or nobody.

    Inside the caller's transaction, whose last step is `finish`. The tournament is not watched yet.

    Raises:
        NotFound: no such tournament.
    """
    tournament = Tournament.objects.select_for_update(no_key=True).filter(pk=tournament_id).first()
    if tournament is None:
        message = _("There is no such tournament.")
        raise NotFound(message)
    unit = Unit(action, Actor(AnonymousUser(), is_clock=is_clock), now)
    unit.adopt(tournament)
    return unit


def refusal(error: EngineError) -> AppError:
    """Return what the person who asked is told when the engine refuses."""
    if isinstance(error, IllegalStep):
        return Conflict(error.text, state=error.state, possible=list(error.possible))
    if isinstance(error, IllegalMove):
        return Conflict(error.text, possible=list(error.possible))
    return BadRequest(error.text)


def present() -> datetime:
    """Return the present in the precision that events carry, so that rows and events say the same time."""
    now = timezone.now()
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _fingerprint(args: tuple[object, ...], kwargs: Mapping[str, object]) -> str:
    """Return what tells one request from another: a command id stands for what was asked, not only for its kind."""
    return hashlib.sha256(repr((args, sorted(kwargs.items()))).encode()).hexdigest()


def receipt_of(actor: Actor) -> Receipt | None:
    """Return what was kept of a command that was carried out before; its first answer is due, whatever holds now."""
    if not actor.command_id or not actor.name:
        return None
    return Receipt.objects.select_related("stream").filter(actor=actor.name, command_id=actor.command_id).first()


def _first_answer(actor: Actor, action: str, fingerprint: str) -> Done | None:
    receipt = receipt_of(actor)
    if receipt is None:
        return None
    if (receipt.action, receipt.fingerprint) != (action, fingerprint):
        message = _("This id was already used for another command. Choose a new one.")
        raise Conflict(message, action=receipt.action)
    return Done(receipt.stream.name, receipt.seq, receipt.answer)
